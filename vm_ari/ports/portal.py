"""What the web pages need beside all that."""

from typing import Protocol


class PortalUnavailable(Exception):
    """Sessions or passwords of the portal cannot be read or kept. The text says why."""


class PasswordJudge(Protocol):
    """Knows who has which password."""

    async def accepts(self, user_id: str, password: str) -> bool:
        """Is it the user's? An empty id is nobody's, and is judged with the same effort.

        An empty password never fits. Raises `DirectoryUnavailable`.
        """
        ...
