"""A guest made of nothing but its network card: it opens a tap as QEMU does and speaks frames."""

from __future__ import annotations

import fcntl
import os
import select
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address
from types import TracebackType

BROADCAST = b"\xff" * 6
ANY, EVERYBODY = IPv4Address(0), IPv4Address("255.255.255.255")
DISCOVER, OFFER, REQUEST, ACK = 1, 2, 3, 5
MASK, ROUTER, DNS, HOSTNAME, MTU, LEASE_TIME, KIND, SERVER = 1, 3, 6, 12, 26, 51, 53, 54

_AGAIN_SECONDS = 0.2
_TUNSETIFF = 0x400454CA
_IFF_TAP, _IFF_NO_PI, _IFF_VNET_HDR = 0x0002, 0x1000, 0x4000
_VNET_HEADER = 10
_COOKIE = b"\x63\x82\x53\x63"


@dataclass(frozen=True)
class Answer:
    """What a DHCP server said: the address, and its options by number."""

    address: IPv4Address
    options: dict[int, bytes]

    def addresses(self, option: int) -> list[str]:
        raw = self.options.get(option, b"")
        return [str(IPv4Address(raw[at : at + 4])) for at in range(0, len(raw), 4)]


class TapGuest:
    """Opens a tap; closing leaves the tap as it was."""

    def __init__(self, tap: str, mac: str) -> None:
        self.mac = bytes.fromhex(mac.replace(":", ""))
        self._tap = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        flags = _IFF_TAP | _IFF_NO_PI | _IFF_VNET_HDR
        fcntl.ioctl(self._tap, _TUNSETIFF, struct.pack("16sH22x", tap.encode(), flags))

    def __enter__(self) -> TapGuest:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        os.close(self._tap)

    def lease(self, seconds: float = 3.0) -> Answer | None:
        """Ask for an address and accept it; None where nobody offers one."""
        offer = self._ask(DISCOVER, seconds)
        if offer is None:
            return None
        wanted = b"\x32\x04" + offer.address.packed + b"\x36\x04" + offer.options[SERVER]
        return self._ask(REQUEST, seconds, wanted)

    def renew(self, address: str, seconds: float = 3.0) -> Answer | None:
        """Ask for a longer lease of an address that the guest believes to have."""
        return self._ask(REQUEST, seconds, client=IPv4Address(address))

    def send(self, target: bytes, kind: int, content: bytes) -> None:
        """Send an Ethernet frame."""
        frame = target + self.mac + struct.pack(">H", kind) + content
        os.write(self._tap, bytes(_VNET_HEADER) + frame)

    def send_udp(self, target: bytes, to: tuple[str, int], content: bytes) -> None:
        """Send a datagram from 10.77.0.99 in a frame to `target`."""
        self.send(
            target, 0x0800, _ipv4(IPv4Address("10.77.0.99"), IPv4Address(to[0]), to[1], content)
        )

    def frames(self, seconds: float) -> Iterator[bytes]:
        """Yield the frames that come in within that time."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if select.select([self._tap], [], [], left)[0]:
                yield os.read(self._tap, 65536)[_VNET_HEADER:]

    def find(self, address: str, seconds: float = 0.5) -> bytes | None:
        """Ask who has an address (ARP); the MAC of who answers, None where nobody does."""
        wanted = IPv4Address(address).packed
        head = struct.pack(">HHBBH", 1, 0x0800, 6, 4, 1)
        content = head + self.mac + IPv4Address("10.77.0.99").packed + bytes(6) + wanted
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.send(BROADCAST, 0x0806, content)
            for frame in self.frames(_AGAIN_SECONDS):
                if _arp(frame) == 2 and frame[28:32] == wanted:
                    return frame[22:28]
        return None

    def _answer_arp(self, frame: bytes) -> None:
        """Say to who asks that an address is here."""
        head = struct.pack(">HHBBH", 1, 0x0800, 6, 4, 2)
        self.send(frame[6:12], 0x0806, head + self.mac + frame[38:42] + frame[22:32])

    def _ask(
        self, kind: int, seconds: float, options: bytes = b"", client: IPv4Address = ANY
    ) -> Answer | None:
        number = os.urandom(4)
        head = struct.pack(">BBBB4sHH4s12x", 1, 1, 6, 0, number, 0, 0x8000, client.packed)
        body = head + self.mac.ljust(16, b"\0") + bytes(192) + _COOKIE + bytes([KIND, 1, kind])
        body += options + bytes([55, 6, MASK, ROUTER, DNS, HOSTNAME, MTU, LEASE_TIME, 255])
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            # Again and again, as guests do: the bridge forwards a moment after a tap is opened.
            self.send(BROADCAST, 0x0800, _ipv4(client, EVERYBODY, 67, body))
            for frame in self.frames(_AGAIN_SECONDS):
                if _arp(frame) == 1 and frame[38:42] == client.packed:
                    self._answer_arp(frame)
                answer = _answer(frame, number)
                if answer is not None:
                    return answer
        return None


def _arp(frame: bytes) -> int:
    """Tell whether a frame is an ARP request (1), an answer (2) or no ARP at all (0)."""
    return int.from_bytes(frame[20:22]) if frame[12:14] == b"\x08\x06" else 0


def _ipv4(source: IPv4Address, target: IPv4Address, port: int, content: bytes) -> bytes:
    udp = struct.pack(">HHHH", 68, port, 8 + len(content), 0) + content
    head = struct.pack(
        ">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, source.packed, target.packed
    )
    total = sum(struct.unpack(">10H", head))
    total = (total & 0xFFFF) + (total >> 16)
    checksum = ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF
    return head[:10] + struct.pack(">H", checksum) + head[12:] + udp


def _answer(frame: bytes, number: bytes) -> Answer | None:
    """Read a frame as the answer to that question; None if it is something else."""
    if frame[12:14] != b"\x08\x00" or frame[23] != 17 or frame[36:38] != b"\0D":
        return None
    body = frame[42:]
    if body[4:8] != number:
        return None
    options, at = {}, 240
    while at < len(body) and body[at] != 255:
        length = 0 if body[at] == 0 else body[at + 1]
        options[body[at]] = body[at + 2 : at + 2 + length]
        at += 1 if body[at] == 0 else 2 + length
    return Answer(IPv4Address(body[16:20]), options)
