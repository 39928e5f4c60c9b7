"""Every failure that Hanok reports, with two messages: one for the tenant, one for the operator.

    HanokError
    ├── Invalid            the request cannot be understood or breaks a rule
    ├── Unauthorized       no valid token, or wrong credentials
    ├── Forbidden          known, understood, and not allowed
    │   └── QuotaExceeded
    ├── NotFound           absent, or not the caller's to know of
    │   └── Gone           deleted while the request was under way
    ├── MethodNotAllowed
    ├── Conflict           right request, wrong state
    ├── TooLarge           the body is over the limit
    ├── UnsupportedMediaType  the body is of a kind that is not read there
    ├── NotImplemented_    understood; not offered
    ├── Unavailable        a host or a service does not answer
    └── HostError          a driver's call failed
        └── HostUnreachable  no answer within the deadline

`message` is for the tenant: a whole sentence, never a host path, a stack trace or a secret.
`detail` is for the operator and goes to logs and to an administrator's view.
"""

from __future__ import annotations


class HanokError(Exception):
    """Base of all failures; `message` is safe to show to a tenant."""

    def __init__(self, message: str, *, detail: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.message} ({self.detail})" if self.detail else self.message


class Invalid(HanokError):
    """The request cannot be understood or breaks a rule: 400."""


class Unauthorized(HanokError):
    """No valid token, or wrong credentials: 401."""


class Forbidden(HanokError):
    """Understood and not allowed: 403."""


class QuotaExceeded(Forbidden):
    """The project's quota does not allow it: 403 on the compute service, 413 on block storage."""


class NotFound(HanokError):
    """Absent, or not the caller's to know of: 404."""


class Gone(NotFound):
    """Deleted while the request was under way: 410."""


class MethodNotAllowed(HanokError):
    """The path exists, the method does not: 405."""


class Conflict(HanokError):
    """The object's state does not allow it: 409."""


class TooLarge(HanokError):
    """The body is larger than the service accepts: 413."""


class UnsupportedMediaType(HanokError):
    """The body's content type is none that is read there: 415."""


class NotImplemented_(HanokError):  # noqa: N801 - the built-in name is taken
    """Understood and not offered: 501."""


class Unavailable(HanokError):
    """A host or a service does not answer: 503."""


class HostError(HanokError):
    """A driver's call failed.

    `permanent` tells the engine not to try again: the same call would fail the same way.
    """

    def __init__(self, message: str, *, detail: str = "", permanent: bool = False) -> None:
        super().__init__(message, detail=detail)
        self.permanent = permanent


class HostUnreachable(HostError):
    """The host gave no answer within the deadline; what it did is not known."""
