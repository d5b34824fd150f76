"""Invitations to record the global greeting, as configured."""

from dataclasses import dataclass

from vm_ari.adapters.invitation_database import InvitationDatabase
from vm_ari.adapters.mail_writing import ascii_address
from vm_ari.config import Config
from vm_ari.domain.preferences import TIME_ZONE
from vm_ari.domain.users import User
from vm_ari.ports import CallDirectory, Clock, Notices
from vm_ari.services.invitations import Invitations, Post
from vm_ari.wiring.directories import ConfiguredDirectory


@dataclass(frozen=True)
class OpenInvitations:
    """What has been opened."""

    service: Invitations
    database: InvitationDatabase

    async def close(self) -> None:
        """Let go of the database."""
        await self.database.close()


def open_invitations(
    config: Config,
    register: ConfiguredDirectory,
    directory: CallDirectory,
    notices: Notices,
    clock: Clock,
) -> OpenInvitations:
    """Nothing is connected yet; to be closed by the caller."""

    async def find(name: str) -> User | None:
        entry = await register.entry_by_id(name)
        if entry is None and "@" in name:
            entry = await register.entry_by_mail(name)
        return await directory.user_by_id(entry.id) if entry else None

    goes_outside = config.mail.smtp is not None
    post = Post(
        notices=notices,
        base_url=config.web.base_url(),
        reaches=ascii_address if goes_outside else _nowhere,
        needs_address=goes_outside,
        language=config.rules().language,
        time_zone=config.user_defaults().get(TIME_ZONE.key) or TIME_ZONE.default,
    )
    database = InvitationDatabase(config.web.url or config.directory.url, clock)
    return OpenInvitations(Invitations(database, clock, find, post), database)


def _nowhere(_address: str) -> None:
    """Mails go into the users' own mailboxes."""
