"""Bringing voice messages to mailboxes on mail servers: by APPEND, or by SMTP (MAIL-05)."""

from datetime import timedelta

from vm_ari.adapters.imap.doorman import Doorman, Open
from vm_ari.adapters.imap.errors import OverQuota, TooBig
from vm_ari.adapters.imap.folders import Folders
from vm_ari.adapters.imap.recognition import KEYWORD
from vm_ari.adapters.imap.session import Opened, Session
from vm_ari.adapters.voice_mail import Compose
from vm_ari.domain.messages import VoiceMessage
from vm_ari.domain.system_mails import Recipient
from vm_ari.domain.users import User
from vm_ari.ports import DeliveryPostponed, DeliveryRefused, MailboxUnavailable, Mailer

_SLACK = timedelta(days=2)
"""Servers compare dates without time, in a zone of their own."""


class ImapCourier:
    """`ports.Courier` by APPEND: visible at once, past the site's mail rules."""

    def __init__(self, doorman: Doorman, compose: Compose) -> None:
        self._doorman = doorman
        self._compose = compose

    async def deliver(self, message: VoiceMessage, user: User, *, plain: bool = False) -> None:
        """Once: it is looked for first. Raises `DeliveryPostponed`, `DeliveryRefused`."""
        door = await self._open(user)
        mail = self._compose(message, user, plain=plain)

        def store(session: Session) -> None:
            inbox = door.folders.open_inbox(session)
            if not _is_stored(session, inbox, door.folders, message):
                _append(session, inbox, mail, message)

        try:
            await door.run(store, seconds=self._doorman.rules.patience.delivery)
        except TooBig as error:
            raise DeliveryRefused(f"the server takes no message that large: {error}") from error
        except OverQuota as error:
            raise DeliveryPostponed(f"the mailbox of user {user.id} is full: {error}") from error
        except MailboxUnavailable as error:  # a wrong right must not cost anybody a message
            raise DeliveryPostponed(str(error)) from error

    async def has(self, message: VoiceMessage, user: User) -> bool:
        """Is it in the folder of voice messages, or among the deleted ones?"""
        door = await self._open(user)

        def look(session: Session) -> bool:
            inbox = door.folders.open_inbox(session)
            return _is_stored(session, inbox, door.folders, message)

        try:
            return await door.run(look, seconds=self._doorman.rules.patience.delivery)
        except MailboxUnavailable as error:
            raise DeliveryPostponed(str(error)) from error

    async def _open(self, user: User) -> Open:
        try:
            return await self._doorman.open(user)
        except MailboxUnavailable as error:
            raise DeliveryPostponed(str(error)) from error


class SmtpCourier:
    """`ports.Courier` by SMTP: through the site's mail rules, filters and archive.

    *look* is asked whether a message has arrived; None: that can never be known.
    """

    def __init__(self, mailer: Mailer, compose: Compose, look: ImapCourier | None) -> None:
        self._mailer = mailer
        self._compose = compose
        self._look = look

    async def deliver(self, message: VoiceMessage, user: User, *, plain: bool = False) -> None:
        """See `Courier`."""
        mail = self._compose(message, user, plain=plain)
        recipient = Recipient(user.id, user.mailbox, user.mail)
        await self._mailer.send(mail, recipient, message_id=message.facts.message_id)

    async def has(self, message: VoiceMessage, user: User) -> bool:
        """See `Courier`."""
        return await self._look.has(message, user) if self._look else False


def _is_stored(session: Session, inbox: Opened, folders: Folders, message: VoiceMessage) -> bool:
    """In the open INBOX, or in the folder of deleted ones; the INBOX is open again afterwards.

    Only what has come since the call is searched: a search of all could take half a minute.
    """
    since = (message.facts.started - _SLACK).date()
    criteria = ["SINCE", since, "HEADER", "Message-ID", message.facts.message_id]
    if session.search(criteria):
        return True
    if folders.open_deleted(session) is None:
        return False
    found = bool(session.search(criteria))
    session.open(inbox.name)
    return found


def _append(session: Session, inbox: Opened, mail: bytes, message: VoiceMessage) -> None:
    """New, with the time of the call as its date; urgent ones are flagged."""
    flags = ["\\Flagged"] if message.facts.urgent else []
    if inbox.keeps_keywords:
        flags.append(KEYWORD)
    session.append(inbox.name, mail, flags, message.facts.started)
