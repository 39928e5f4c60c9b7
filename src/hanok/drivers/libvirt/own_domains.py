"""This deployment's domains among all that libvirt has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from xml.etree import ElementTree as ET

import libvirt

from hanok.drivers.base import Domain
from hanok.drivers.libvirt.domain_xml import NAMESPACE
from hanok.drivers.libvirt.names import Names, server_uuid
from hanok.model.errors import HostError
from hanok.model.power import PowerState

_POWER: Final = {
    libvirt.VIR_DOMAIN_NOSTATE: PowerState.NOSTATE,
    libvirt.VIR_DOMAIN_RUNNING: PowerState.RUNNING,
    libvirt.VIR_DOMAIN_BLOCKED: PowerState.RUNNING,
    libvirt.VIR_DOMAIN_PAUSED: PowerState.PAUSED,
    # On its way down, QEMU still runs and still has the disks open.
    libvirt.VIR_DOMAIN_SHUTDOWN: PowerState.RUNNING,
    libvirt.VIR_DOMAIN_SHUTOFF: PowerState.SHUTDOWN,
    libvirt.VIR_DOMAIN_CRASHED: PowerState.CRASHED,
    libvirt.VIR_DOMAIN_PMSUSPENDED: PowerState.SUSPENDED,
}


@dataclass(frozen=True, slots=True)
class OwnDomain:
    """A domain of this deployment's: libvirt's object, and the digest of its spec."""

    handle: Any
    spec_digest: str


class OwnDomains:
    """Finds domains by id and by name, and leaves out whatever is not this deployment's.

    The name tells which may be ours, the metadata which are. All methods take a virConnect and
    raise libvirt's errors.
    """

    def __init__(self, names: Names) -> None:
        self._names = names
        self._prefix = names.domain_prefix

    def own_id(self, domain_name: str) -> str | None:
        """Return the server's id in the name of a domain of ours, None of others'."""
        if not domain_name.startswith(self._prefix):
            return None
        return domain_name.removeprefix(self._prefix)

    def find(self, conn: Any, server_id: str) -> OwnDomain | None:
        """Return our domain of that id, None where there is none of ours."""
        try:
            handle = conn.lookupByUUIDString(server_uuid(server_id))
            return self._owned(handle)
        except libvirt.libvirtError as error:
            if is_absent(error):
                return None
            raise

    def check_free(self, conn: Any, server_id: str) -> None:
        """Raise a permanent `HostError` where another's domain has the id."""
        try:
            conn.lookupByUUIDString(server_id)
        except libvirt.libvirtError as error:
            if is_absent(error):
                return
            raise
        message = "The server's id is taken on this host."
        raise HostError(message, detail=server_id, permanent=True)

    def list_all(self, conn: Any) -> list[Domain]:
        """List our domains with their power states."""
        found = []
        for handle in conn.listAllDomains():
            server_id = self.own_id(handle.name())
            if server_id is None:
                continue
            try:
                if self._owned(handle) is not None:
                    found.append(Domain(server_id, power_state(handle)))
            except libvirt.libvirtError as error:
                # It may go while we look.
                if not is_absent(error):
                    raise
        return found

    def _owned(self, handle: Any) -> OwnDomain | None:
        try:
            text = handle.metadata(libvirt.VIR_DOMAIN_METADATA_ELEMENT, NAMESPACE)
        except libvirt.libvirtError as error:
            if error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN_METADATA:
                return None
            raise
        element = ET.fromstring(text)  # noqa: S314  # libvirt's own answer
        if element.get("deployment") != self._names.deployment_id:
            return None
        return OwnDomain(handle, element.get("spec", ""))


def power_state(handle: Any) -> PowerState:
    """Return a domain's power state; CRASHED where QEMU ended by itself or was killed."""
    state, reason = handle.state()
    off = state == libvirt.VIR_DOMAIN_SHUTOFF
    if off and reason == libvirt.VIR_DOMAIN_SHUTOFF_CRASHED:
        return PowerState.CRASHED
    if off and handle.hasManagedSaveImage():
        return PowerState.SUSPENDED
    return _POWER.get(state, PowerState.NOSTATE)


def destroy(handle: Any) -> None:
    """End QEMU; off or gone is success."""
    try:
        if handle.isActive():
            handle.destroy()
    except libvirt.libvirtError as error:
        off = error.get_error_code() == libvirt.VIR_ERR_OPERATION_INVALID
        if not (off or is_absent(error)):
            raise


def is_absent(error: libvirt.libvirtError) -> bool:
    """Tell whether an error says that the domain is not there."""
    return bool(error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN)
