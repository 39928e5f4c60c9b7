#!/usr/bin/env bash
# Makes the locked Python environment: uv, then .venv with exactly what uv.lock says.
#   scripts/python.sh             .venv: Hanok and its development tools
#   scripts/python.sh clients     .venv-clients: real OpenStack clients, apart from Hanok's packages
#   scripts/python.sh uv ARGS…    run the pinned uv on this project
# Downloads are kept in a cache (root: /var/cache/hanok; others: $XDG_CACHE_HOME/hanok; or
# $HANOK_CACHE), and are not asked for again: a second checkout needs no network.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
if [ "$(id -u)" -eq 0 ]; then
    cache=${HANOK_CACHE:-/var/cache/hanok}
else
    cache=${HANOK_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/hanok}
fi
pin=$(sed -n 's/^uv==\([0-9.]*\).*/\1/p' "$root/scripts/uv.txt")
uv=$cache/uv-$pin

# The interpreter is the distribution's: libvirt's binding is built for it, and none is downloaded.
export UV_PYTHON=${UV_PYTHON:-/usr/bin/python3} UV_PYTHON_DOWNLOADS=never
export UV_CACHE_DIR=${UV_CACHE_DIR:-$cache/uv} UV_NO_PROGRESS=1
# Compiled once here: whoever starts Hanok may not be allowed to write beside its packages.
export UV_COMPILE_BYTECODE=1
unset VIRTUAL_ENV PYTHONPATH PYTHONHOME
# Trust what the system trusts (a company's proxy), where it has a list.
[ ! -e /etc/ssl/certs/ca-certificates.crt ] || export UV_SYSTEM_CERTS=${UV_SYSTEM_CERTS:-1}

say() { printf '==> %s\n' "$*"; }
fail() {
    printf '==> %s\n' "$*" >&2
    exit 1
}

ensure_python() {
    "$UV_PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
        fail "$UV_PYTHON is not Python 3.11 or newer: install python3, or set UV_PYTHON"
}

ensure_uv() { # unpack the pinned uv into the cache, once
    [ ! -x "$uv" ] || return 0
    say "uv $pin: fetching into $cache"
    "$UV_PYTHON" -c 'import ensurepip' 2>/dev/null ||
        fail "$UV_PYTHON cannot make environments: install the Debian package python3-venv"
    local work
    mkdir -p "$cache"
    work=$(mktemp -d "$cache/unpack.XXXXXX")
    # shellcheck disable=SC2064
    trap "rm -rf '$work'" EXIT
    "$UV_PYTHON" -m venv "$work/venv"
    "$work/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps \
        --only-binary :all: --require-hashes -r "$root/scripts/uv.txt"
    mv "$work/venv/bin/uv" "$uv"
}

ensure_environment() { # an environment of this interpreter; ours sees Debian's python3-libvirt
    local folder=$1 sees_system=$2 version
    version=$("$UV_PYTHON" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])')
    if ! grep -qx "version_info = $version" "$folder/pyvenv.cfg" 2>/dev/null ||
        ! grep -qx "include-system-site-packages = $sees_system" "$folder/pyvenv.cfg"; then
        set -- --quiet --clear
        [ "$sees_system" = false ] || set -- "$@" --system-site-packages
        "$uv" venv "$@" "$folder"
    fi
}

sync() { # the folder, whether it sees the system's packages, then arguments for uv sync
    local folder=$1 sees_system=$2
    shift 2
    ensure_python
    ensure_uv
    ensure_environment "$root/$folder" "$sees_system"
    export UV_PROJECT_ENVIRONMENT=$root/$folder
    if "$uv" sync --project "$root" --frozen --offline --quiet "$@" 2>/dev/null; then
        say "Python packages: $folder is as uv.lock says"
    else
        say "Python packages: fetching what uv.lock says into $folder"
        "$uv" sync --project "$root" --frozen "$@"
    fi
}

case ${1:-} in
'') sync .venv true ;;
clients) sync .venv-clients false --only-group clients ;;
uv)
    shift
    ensure_python
    ensure_uv
    export UV_PROJECT_ENVIRONMENT=$root/.venv
    exec "$uv" --project "$root" "$@"
    ;;
*) fail "unknown argument $1: see the top of scripts/python.sh" ;;
esac
