"""The hosts that the suite runs on, one of each kind."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterator
from typing import Any

import pytest

from hanok.drivers.base import DomainSpec
from tests.drivers.scene import Host, Scene

KINDS: list[Any] = ["simulated"]
if importlib.util.find_spec("tests.drivers.libvirt_host") is not None:
    KINDS.append(pytest.param("libvirt", marks=pytest.mark.guest))


@pytest.fixture(scope="module", params=KINDS)
def host(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Host]:
    kind: str = request.param
    module = importlib.import_module(f"tests.drivers.{kind}_host")
    made = Host(
        tmp_path_factory.mktemp(f"suite-{kind}"),
        getattr(module, f"open_{kind}"),
        module.leftovers,
        (module.IMAGE_ID, module.IMAGE_FORMAT),
        module.IMAGE_GIB,
    )
    yield made
    made.drivers.compute.close()
    assert made.leftovers(made.root) == []


@pytest.fixture
def scene(host: Host) -> Iterator[Scene]:
    made = Scene(host.drivers)
    yield made
    made.clear()


@pytest.fixture(scope="module")
def running(host: Host) -> Iterator[DomainSpec]:
    """A running domain that the tests share and none of them harms."""
    scene = Scene(host.drivers)
    spec = scene.define()
    host.drivers.compute.start(spec.server_id)
    yield spec
    scene.clear()
