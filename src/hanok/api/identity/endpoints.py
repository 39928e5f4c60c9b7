"""Identity as a service: every endpoint of v2.0 and v3."""

from __future__ import annotations

from collections.abc import Sequence

from hanok.api._call import Service
from hanok.api._errors import identity_shape
from hanok.api.identity import discovery, projects, roles, users
from hanok.api.identity.catalog import Catalog
from hanok.api.identity.v2 import V2
from hanok.api.identity.v3 import V3


def service(regions: Sequence[str]) -> Service:
    """Return identity, whose catalogs list `regions` by their names (KR1)."""
    catalog = Catalog(regions)
    endpoints = (
        *discovery.ENDPOINTS,
        *V2(catalog).endpoints(),
        *V3(catalog).endpoints(),
        *projects.ENDPOINTS,
        *users.ENDPOINTS,
        *roles.ENDPOINTS,
    )
    return Service("identity", endpoints, identity_shape)
