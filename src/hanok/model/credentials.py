"""Who calls: the user, the project and the roles that a token stands for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Credentials:
    """A valid token's meaning; `project_id` is empty for a token without a project."""

    user_id: str
    user_name: str
    project_id: str
    project_name: str
    roles: frozenset[str]
    issued_at: int
    expires_at: int

    @property
    def is_admin(self) -> bool:
        """Tell whether the caller is an operator of the cloud."""
        return "admin" in self.roles
