#!/usr/bin/env bash
# Installs the Debian packages of the given sections of debian-packages.txt that are missing.
#   scripts/debian.sh SECTION…               install what is missing; without root, say what that costs
#   scripts/debian.sh --missing SECTION…     only print the names of what is missing
# Where nothing is missing, nothing runs but dpkg-query: no network, no root.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

say() { printf '==> %s\n' "$*"; }

packages() { # names in the given sections
    awk -v wanted=" $* " '
        /^\[/ { section = substr($1, 2, length($1) - 2); next }
        /^[^#]/ && NF && index(wanted, " " section " ") { print $1 }
    ' "$here/debian-packages.txt"
}

missing() { # names in the given sections that dpkg does not have installed
    local installed
    # shellcheck disable=SC2016
    installed=$(dpkg-query --show --showformat '${db:Status-Status} ${binary:Package}\n' 2>/dev/null |
        awk '$1 == "installed" { sub(/:.*/, "", $2); print $2 }')
    comm -23 <(packages "$@" | sort -u) <(sort -u <<<"$installed")
}

as_root() { # run a command as root, or fail where that cannot be
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
        sudo "$@"
    else
        return 1
    fi
}

install() {
    local settings status=0
    # The tests run a PostgreSQL of their own: the package's own cluster shall not start.
    settings=$(mktemp -d)
    chmod 755 "$settings"
    printf "start_conf = 'manual'\n" >"$settings/createcluster.conf"
    local apt=(env DEBIAN_FRONTEND=noninteractive "PGSYSCONFDIR=$settings"
        apt-get -q -o DPkg::Lock::Timeout=600 -o Dpkg::Use-Pty=0)
    as_root "${apt[@]}" update &&
        as_root "${apt[@]}" install -y --no-install-recommends "$@" || status=$?
    rm -rf "$settings"
    return "$status"
}

main() {
    if [ "${1:-}" = --missing ]; then
        shift
        missing "$@"
        return
    fi
    if ! command -v dpkg-query >/dev/null; then
        say "Debian packages: skipped, this is not Debian: the libvirt driver needs libvirt and QEMU"
        return
    fi
    local names
    names=$(missing "$@")
    if [ -z "$names" ]; then
        say "Debian packages ($*): all there"
        return
    fi
    if ! as_root true; then
        say "Debian packages: skipped, neither root nor sudo: the libvirt driver, real guests and" \
            "their images are not available (missing: ${names//$'\n'/ })"
        return
    fi
    say "Debian packages ($*): installing ${names//$'\n'/ }"
    # shellcheck disable=SC2086
    install $names
}

main "$@"
