from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from hanok.guest import debian_packages
from hanok.guest.debian_packages import Package, PackageError


def test_a_package_brings_the_libraries_it_needs() -> None:
    names = debian_packages.with_libraries(["jq"])
    assert {"jq", "libjq1", "libc6"} <= set(names)
    assert not [name for name in names if name.startswith(("perl", "debconf", "dpkg"))]


def test_the_cloud_kernel_is_one_package() -> None:
    name = debian_packages.newest_of("linux-image-cloud-amd64")
    assert name.startswith("linux-image-")
    assert name.endswith("-cloud-amd64")


def test_resolve_names_files_and_digests() -> None:
    (package,) = debian_packages.resolve(["jq"])
    assert package.name == "jq"
    assert package.file.startswith("jq_")
    assert package.digest.partition(":")[0] in {"SHA256", "SHA512"}


def test_an_unknown_package_is_told_with_advice() -> None:
    with pytest.raises(PackageError, match="apt-get update"):
        debian_packages.resolve(["no-such-package-at-all"])


def test_what_lies_there_intact_is_not_fetched_again(tmp_path: Path) -> None:
    content = b"a package"
    digest = f"SHA256:{hashlib.sha256(content).hexdigest()}"
    (tmp_path / "a_1_amd64.deb").write_bytes(content)
    kept = Package("no-such-package-at-all", "a_1_amd64.deb", digest)
    assert debian_packages.download([kept], tmp_path) == [tmp_path / "a_1_amd64.deb"]
    (tmp_path / "a_1_amd64.deb").write_bytes(b"damaged")
    with pytest.raises(PackageError, match="no-such-package-at-all"):
        debian_packages.download([kept], tmp_path)


def test_the_first_of_several_choices_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = """\
a
 |Depends: libfirst
  Depends: libsecond
  PreDepends: libthird
libfirst
libthird
  Depends: zlib1g
zlib1g
"""
    monkeypatch.setattr(debian_packages, "_apt", lambda *_: answer)
    assert debian_packages.with_libraries(["a"]) == ["a", "libfirst", "libthird", "zlib1g"]
