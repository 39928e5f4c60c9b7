"""An image of a guest that runs boots a second one with the same files; a password is changed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.boots import count_guest_boot
from tests.e2e.cloud import Cloud, poll
from tests.e2e.region import Region, region
from tests.e2e.shell import Shell

pytestmark = [pytest.mark.guest, pytest.mark.slow]

HASH = "awk -F: '$1 == \"root\" { print $2 }' /etc/shadow"
WORD = "a-word-that-nobody-guesses"


@pytest.fixture(scope="module")
def running() -> Iterator[Region]:
    with region("libvirt") as one:
        yield one


@pytest.fixture(scope="module")
def cloud(running: Region) -> Cloud:
    return running.cloud()


@pytest.fixture(scope="module")
def key(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Path:
    pair = cloud.call("POST", "compute", "/os-keypairs", {"keypair": {"name": "made"}})["keypair"]
    path = tmp_path_factory.mktemp("keys") / "made"
    path.touch(mode=0o600)
    path.write_text(pair["private_key"])
    return path


def boot(running: Region, cloud: Cloud, key: Path, name: str, **more: Any) -> tuple[str, Shell]:
    server_id = cloud.create(name, "u2.c1m1", key_name="made", **more)
    count_guest_boot(f"images of guests: {name}")
    shown = cloud.wait_status(server_id, "ACTIVE")
    ((address,),) = shown["addresses"].values()
    shell = Shell(running.deployment().namespace(), str(address["addr"]), key)
    assert shell.await_("hostname") == name
    return server_id, shell


@pytest.fixture(scope="module")
def source(running: Region, cloud: Cloud, key: Path) -> tuple[str, Shell]:
    return boot(running, cloud, key, "source")


def act(cloud: Cloud, server_id: str, body: Any) -> Any:
    return cloud.request("POST", "compute", f"/servers/{server_id}/action", body)


def test_a_changed_password_is_the_guest_s_own(cloud: Cloud, source: tuple[str, Shell]) -> None:
    server_id, shell = source
    before = shell.say(HASH)
    seen: set[str] = set()
    ended = threading.Event()

    other = Cloud(cloud.account)
    other.log_in()

    def watch() -> None:
        while not ended.is_set():
            seen.add(other.server(server_id)["status"])
        other.close()

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        assert act(cloud, server_id, {"changePassword": {"adminPass": WORD}}).status_code == 202
        cloud.wait_status(server_id, "ACTIVE")
    finally:
        ended.set()
        watcher.join(10)
    assert seen <= {"ACTIVE", "PASSWORD"}
    assert "PASSWORD" in seen
    after = shell.say(HASH)
    assert after != before
    assert after.startswith("$"), "a hash, not the word"


def test_an_image_of_a_running_guest_boots_a_second_one_with_its_files(
    running: Region, cloud: Cloud, key: Path, source: tuple[str, Shell]
) -> None:
    server_id, shell = source
    shell.say("echo kept > /root/kept && sync")
    boot_id = shell.say("cat /proc/sys/kernel/random/boot_id")
    answer = act(cloud, server_id, {"createImage": {"name": "copy", "metadata": {"a": "b"}}})
    assert answer.status_code == 202, answer.text
    image_id = answer.headers["Location"].rpartition("/")[2]

    def active() -> bool:
        return bool(cloud.get("image", f"/v2/images/{image_id}")["status"] == "active")

    poll(active, "the image is not active", 120)
    image = cloud.get("image", f"/v2/images/{image_id}")
    assert (image["a"], image["min_disk"], image["disk_format"]) == ("b", 20, "qcow2")
    cloud.wait_status(server_id, "ACTIVE")
    assert shell.say("cat /proc/sys/kernel/random/boot_id") == boot_id, "it was not restarted"
    device = {"source_type": "image", "uuid": image_id, "boot_index": 0}
    mapping = [{**device, "destination_type": "local", "delete_on_termination": True}]
    _, second = boot(
        running, cloud, key, "second", imageRef=image_id, block_device_mapping_v2=mapping
    )
    assert second.say("cat /root/kept") == "kept"
    assert shell.say("hostname") == "source"


def test_a_server_on_block_storage_names_the_way_which_works(cloud: Cloud) -> None:
    """No guest needs to come up: its disk is read as it is."""
    server_id = cloud.create("on-a-volume", "m2.c1m2")
    count_guest_boot("images of guests: on a volume")
    shown = cloud.wait_status(server_id, "ACTIVE")
    refused = act(cloud, server_id, {"createImage": {"name": "copy"}})
    assert refused.status_code == 400
    assert "os-volume_upload_image" in refused.text
    [volume] = shown["os-extended-volumes:volumes_attached"]
    asked = {
        "os-volume_upload_image": {"image_name": "root", "force": True, "disk_format": "qcow2"}
    }
    path = f"/volumes/{volume['id']}"
    made = cloud.call("POST", "volumev3", f"{path}/action", asked, status=202)
    image_id = made["os-volume_upload_image"]["image_id"]

    def active() -> bool:
        return bool(cloud.get("image", f"/v2/images/{image_id}")["status"] == "active")

    poll(active, "the image is not active", 120)
    assert cloud.get("image", f"/v2/images/{image_id}")["virtual_size"] == 10 << 30
    assert cloud.get("volumev3", path)["volume"]["status"] == "in-use"
    assert cloud.server(server_id)["status"] == "ACTIVE"
