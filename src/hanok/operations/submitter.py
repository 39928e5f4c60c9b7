"""How a request hands an operation to the engine."""

from __future__ import annotations

from typing import Protocol

from hanok.engine.steps import Submission
from hanok.store.database import Transaction


class Submitter(Protocol):
    """What the API needs of the engine (`engine.dispatch.Engine`)."""

    def submit(self, tx: Transaction, submission: Submission) -> str:
        """Store an operation in the request's transaction; it runs once that is committed."""
