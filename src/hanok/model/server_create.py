"""What a client asks for when it creates servers, whatever the dialect."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Nic:
    """One requested interface; at least one of the four is set, or the default is meant."""

    network_id: str | None = None
    subnet_id: str | None = None
    port_id: str | None = None
    address: str | None = None


@dataclass(frozen=True, slots=True)
class BlockDevice:
    """One requested disk: `source` image, blank, volume or snapshot; `destination` local, volume.

    `size_gib` None means: as the flavor says.
    """

    source: str
    destination: str
    source_id: str | None = None
    boot_index: int | None = None
    size_gib: int | None = None
    volume_type: str | None = None
    delete_on_termination: bool = False
    encrypted: bool = False


@dataclass(frozen=True, slots=True)
class ServerCreate:
    """The decoded request. `networks` None: not named; empty: none wanted."""

    name: str
    flavor_id: str
    image_id: str | None
    networks: tuple[Nic, ...] | None = None
    block_devices: tuple[BlockDevice, ...] = ()
    key_name: str | None = None
    security_groups: tuple[str, ...] = ()
    user_data: bytes | None = None
    availability_zone: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    config_drive: bool = False
    admin_pass: str | None = None
    min_count: int = 1
    max_count: int = 1
    return_reservation_id: bool = False
