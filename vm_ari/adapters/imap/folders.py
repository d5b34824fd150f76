"""The folders of one user: opened under whatever name the server has for them, made at need."""

from collections.abc import Sequence
from dataclasses import dataclass

from vm_ari.adapters.imap.access import INBOX, Home
from vm_ari.adapters.imap.errors import NoSuchFolder
from vm_ari.adapters.imap.session import Opened, Session


@dataclass(frozen=True)
class Folders:
    """Where voice messages lie, and where deleted ones go."""

    home: Home
    inbox: str = INBOX
    """With ``/`` between levels, as a person writes it."""
    deleted: str = "Deleted voice messages"
    """The same; or a special use such as ``\\Trash``."""

    def open_inbox(self, session: Session) -> Opened:
        """Open it; a folder of our own (not the INBOX) is made when it is not there.

        Raises `NoSuchFolder`.
        """
        names = self._inbox_names(session)
        try:
            return _first(session, names)
        except NoSuchFolder:
            if self.inbox.upper() == INBOX:
                raise
        session.create(names[0])
        return session.open(names[0])

    def _inbox_names(self, session: Session) -> Sequence[str]:
        """A login's own INBOX has the same name everywhere: no server has to be asked."""
        if self.home == Home() and self.inbox.upper() == INBOX:
            return (INBOX,)
        return self.home.folder(self.inbox, session.namespace)

    def open_deleted(self, session: Session) -> Opened | None:
        """Open it; None if it is not there."""
        try:
            return session.open(self.deleted_name(session))
        except NoSuchFolder:
            return None

    def deleted_name(self, session: Session) -> str:
        """The name of the folder of deleted messages on the server, there or not."""
        if not self.deleted.startswith("\\"):
            return self.home.folder(self.deleted, session.namespace)[0]
        if self.home == Home() and (name := session.special_folder(self.deleted)):
            return name
        return self.home.folder(self.deleted[1:], session.namespace)[0]


def _first(session: Session, names: Sequence[str]) -> Opened:
    """Under the first name that is there. Raises `NoSuchFolder`."""
    for name in names[:-1]:
        try:
            return session.open(name)
        except NoSuchFolder:
            continue
    return session.open(names[-1])
