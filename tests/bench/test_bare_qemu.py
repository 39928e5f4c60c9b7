from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.bare_qemu import BareQemuError, bare_command, domain_process

DOMAIN = [
    *("/usr/bin/qemu-system-x86_64", "-name", "guest=hk-1,debug-threads=on", "-S"),
    *("-object", '{"qom-type":"secret","id":"masterKey0","file":"/run/key"}'),
    *("-object", '{"qom-type":"rng-random","id":"objrng0","filename":"/dev/urandom"}'),
    *("-nodefaults", "-chardev", "socket,id=charmonitor,fd=31,server=on,wait=off"),
    *("-mon", "chardev=charmonitor,id=monitor,mode=control", "-m", "2048"),
    *("-blockdev", '{"driver":"file","filename":"/disks/a.qcow2","node-name":"n"}'),
    *("-netdev", '{"type":"tap","fd":"32","id":"hostnet0"}'),
    *("-add-fd", "set=0,fd=30,opaque=serial0-log"),
    *("-chardev", "pty,id=charserial0,logfile=/dev/fdset/0,logappend=on"),
    *("-chardev", "socket,id=charchannel0,fd=29,server=on,wait=off"),
    *("-vnc", "vnc=unix:/run/vnc.sock,audiodev=audio1", "-msg", "timestamp=on"),
]


def test_a_bare_guest_has_the_domains_devices() -> None:
    made = bare_command(DOMAIN, {"/disks/a.qcow2": "/own/b.qcow2"}, "tap7", Path("/own"))
    assert made[:3] == ["/usr/bin/qemu-system-x86_64", "-name", "guest=hk-1,debug-threads=on"]
    values = [json.loads(word) for word in made if word.startswith("{")]
    assert values == [
        {"qom-type": "rng-random", "id": "objrng0", "filename": "/dev/urandom"},
        {"driver": "file", "filename": "/own/b.qcow2", "node-name": "n"},
        {
            "type": "tap",
            "id": "hostnet0",
            "ifname": "tap7",
            "script": "no",
            "downscript": "no",
        },
    ]
    assert [word for word in made[3:] if not word.startswith("{")] == [
        *("-object", "-nodefaults", "-m", "2048", "-blockdev", "-netdev"),
        *("-chardev", "pty,id=charserial0,logfile=/own/charserial0.log,logappend=on"),
        *("-chardev", "socket,id=charchannel0,path=/own/charchannel0.sock,server=on,wait=off"),
        *("-vnc", "unix:/own/vnc.sock,audiodev=audio1", "-msg", "timestamp=on"),
    ]


def test_a_descriptor_that_cannot_be_carried_over_is_refused() -> None:
    with pytest.raises(BareQemuError, match="descriptor"):
        bare_command(["qemu", "-device", "vhost,fd=3"], {}, "tap7", Path("/own"))


def test_a_domain_that_does_not_run_has_no_command() -> None:
    with pytest.raises(BareQemuError, match="no process runs"):
        domain_process("hk-of-nobody")
