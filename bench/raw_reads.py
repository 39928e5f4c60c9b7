"""The reads of a request with nothing around them: sqlite3, prepared SQL, rows as tuples.

The token with its user and project, the server rows of one id or of a page, and of each kind of
child (addresses, groups, volumes) the rows of all of them in one statement.
"""

from __future__ import annotations

import hashlib
import sqlite3
from pathlib import Path
from typing import Any

_LOGIN = """
SELECT t.user_id, u.name, t.project_id, p.name, t.issued_at, t.expires_at, t.methods
FROM tokens t JOIN users u ON u.id = t.user_id JOIN projects p ON p.id = t.project_id
WHERE t.hash = ?
"""
_ROLES = "SELECT role FROM role_assignments WHERE user_id = ? AND project_id = ?"
_SERVERS = """
SELECT s.*, h.state FROM servers s LEFT JOIN hosts h ON h.id = s.host_id
WHERE s.project_id = :project AND s.terminated_at IS NULL
"""
_ONE = f"{_SERVERS} AND s.id = :server"
_ORDER = "ORDER BY s.created_at DESC, s.id DESC LIMIT :limit"
_PAGE = f"{_SERVERS} {_ORDER}"
_NICS = """
SELECT p.server_id, p.position, n.name, p.mac_address, f.address
FROM ports p JOIN networks n ON n.id = p.network_id JOIN fixed_ips f ON f.port_id = p.id
"""
_GROUPS = """
SELECT p.server_id, p.position, g.name FROM ports p
JOIN port_security_groups pg ON pg.port_id = p.id
JOIN security_groups g ON g.id = pg.security_group_id
"""
_VOLUMES = "SELECT p.server_id, p.volume_id, p.device FROM volume_attachments p"
_CHILDREN = (_NICS, _GROUPS, _VOLUMES)
_PAGE_IDS = f"""
SELECT s.id FROM servers s WHERE s.project_id = :project AND s.terminated_at IS NULL {_ORDER}
"""  # noqa: S608 - constants


class RawReads:
    """Reads a state directory's stores beside its process, as fast as SQLite gives the rows."""

    def __init__(self, state: Path) -> None:
        self._identity = _open(state / "identity.db")
        self._region = _open(state / "regions" / "kr1" / "region.db")

    def close(self) -> None:
        """Close both stores."""
        self._identity.close()
        self._region.close()

    def get(self, token: str, server_id: str) -> int:
        """Read what a GET of one server needs; return the number of rows."""
        project, count = self._login(token)
        values = {"project": project, "server": server_id}
        count += len(self._region.execute(_ONE, values).fetchall())
        for sql in _CHILDREN:
            children = self._region.execute(f"{sql} WHERE p.server_id = :server", values)
            count += len(children.fetchall())
        return count

    def page(self, token: str, limit: int) -> int:
        """Read what a page of servers with details needs; return the number of rows."""
        project, count = self._login(token)
        values = {"project": project, "limit": limit}
        count += len(self._region.execute(_PAGE, values).fetchall())
        for sql in _CHILDREN:
            children = self._region.execute(f"{sql} WHERE p.server_id IN ({_PAGE_IDS})", values)
            count += len(children.fetchall())
        return count

    def _login(self, token: str) -> tuple[Any, int]:
        hashed = hashlib.sha256(token.encode()).digest()
        user, _, project, *_ = self._identity.execute(_LOGIN, (hashed,)).fetchone()
        roles = self._identity.execute(_ROLES, (user, project)).fetchall()
        return project, 1 + len(roles)


def _open(path: Path) -> sqlite3.Connection:
    """Open a store as the region's own readers do."""
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in ("cache_size=-8000", "mmap_size=268435456", "query_only=ON"):
        connection.execute(f"PRAGMA {pragma}")
    return connection
