"""What there is: the compute service's versions, and its extensions."""

from __future__ import annotations

from typing import Any

from hanok.api._call import Answer, Call, Endpoint
from hanok.model.errors import NotFound

_EXTENSIONS = (
    ("DiskConfig", "OS-DCF", "Disk management of servers."),
    ("ExtendedAvailabilityZone", "OS-EXT-AZ", "The availability zone of servers."),
    ("ExtendedIps", "OS-EXT-IPS", "The type of servers' addresses."),
    ("ExtendedIpsMac", "OS-EXT-IPS-MAC", "The MAC address beside servers' addresses."),
    ("ExtendedStatus", "OS-EXT-STS", "What servers are and what is being done to them."),
    ("FlavorDisabled", "OS-FLV-DISABLED", "Whether flavors are disabled."),
    ("FlavorExtraData", "OS-FLV-EXT-DATA", "Further disks of flavors."),
    ("ServerUsage", "OS-SRV-USG", "When servers were launched and terminated."),
    ("AvailabilityZone", "os-availability-zone", "The region's availability zones."),
    ("ConfigDrive", "os-config-drive", "The config drive of servers."),
    ("ExtendedVolumes", "os-extended-volumes", "The volumes of servers."),
    ("FlavorExtraSpecs", "os-flavor-extra-specs", "Extra specifications of flavors."),
    ("FlavorRxtx", "os-flavor-rxtx", "The network share of flavors."),
    ("FlavorSwap", "os-flavor-swap", "The swap space of flavors."),
    ("Keypairs", "os-keypairs", "Key pairs of users."),
    ("MultipleCreate", "os-multiple-create", "Several servers with one request."),
    ("Quotas", "os-quota-sets", "Quotas of projects."),
    ("UsedLimits", "os-used-limits", "What is used of a project's limits."),
    ("UserData", "os-user-data", "Data for servers' first boot."),
)
_UPDATED = "2014-12-03T00:00:00Z"


def _version(call: Call) -> dict[str, Any]:
    """Describe v2.0; its empty version fields tell clients to send no microversion."""
    root = call.base.service(call.region.name, "compute")
    return {
        "id": "v2.0",
        "status": "SUPPORTED",
        "version": "",
        "min_version": "",
        "updated": "2011-01-21T11:33:21Z",
        "links": [{"rel": "self", "href": f"{root}/v2/"}],
    }


def _versions(call: Call) -> Answer:
    return Answer(200, {"versions": [_version(call)]})


def _version_2(call: Call) -> Answer:
    media = {
        "base": "application/json",
        "type": "application/vnd.openstack.compute+json;version=2",
    }
    return Answer(200, {"version": {**_version(call), "media-types": [media]}})


def _extension(name: str, alias: str, description: str) -> dict[str, Any]:
    return {
        "alias": alias,
        "description": description,
        "links": [],
        "name": name,
        "namespace": "",
        "updated": _UPDATED,
    }


def _extensions(_call: Call) -> Answer:
    return Answer(200, {"extensions": [_extension(*one) for one in _EXTENSIONS]})


def _one_extension(call: Call) -> Answer:
    wanted = call.params["alias"]
    for one in _EXTENSIONS:
        if one[1] == wanted:
            return Answer(200, {"extension": _extension(*one)})
    raise NotFound(f"Extension with alias {wanted} could not be found.")


ENDPOINTS = (
    Endpoint("GET", "", _versions, auth=False),
    Endpoint("GET", "/", _versions, auth=False),
    Endpoint("GET", "/v2", _version_2, auth=False),
    Endpoint("GET", "/v2/", _version_2, auth=False),
    Endpoint("GET", "/v2/{tenant}/extensions", _extensions),
    Endpoint("GET", "/v2/{tenant}/extensions/{alias}", _one_extension),
)
