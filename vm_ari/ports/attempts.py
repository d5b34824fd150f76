"""What `services.shared_attempts` needs of a database."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from vm_ari.domain.login_budget import Attempt


class AttemptsNotShared(Exception):
    """The database did not answer; the text says why."""


class AttemptsExchange(Protocol):
    """Where nodes tell each other of failed logins."""

    async def exchange(self, own: Sequence[Attempt], since: datetime) -> Sequence[Attempt]:
        """Tell our own, hear the others' that are not older. Raises `AttemptsNotShared`."""
        ...
