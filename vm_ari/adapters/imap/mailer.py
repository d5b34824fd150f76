"""Mails of the system into the users' mailboxes by APPEND, where there is no SMTP (MAIL-05)."""

from vm_ari.adapters.imap.doorman import Doorman
from vm_ari.adapters.imap.letterbox import Label, Letterbox
from vm_ari.adapters.mail_writing import date_of
from vm_ari.domain.system_mails import Recipient
from vm_ari.domain.users import User
from vm_ari.ports import DeliveryPostponed, DeliveryRefused, Directory, DirectoryUnavailable


class ImapMailer:
    """`ports.Mailer` into the INBOX of users; a mail that is there already is not added."""

    def __init__(self, doorman: Doorman, directory: Directory) -> None:
        self._letterbox = Letterbox(doorman)
        self._directory = directory

    async def send(self, mail: bytes, recipient: Recipient, *, message_id: str) -> None:
        """See `Mailer`; exactly once, however often it is tried."""
        user = await self._user(recipient)
        await self._letterbox.put(user, mail, Label(message_id, date_of(mail)))

    async def _user(self, recipient: Recipient) -> User:
        """As the directory knows him now: the way into the mailbox may have changed."""
        try:
            user = await self._directory.user_by_id(recipient.user_id)
        except DirectoryUnavailable as error:
            raise DeliveryPostponed(f"the directory does not say how: {error}") from error
        if user is None:
            raise DeliveryRefused(
                f"there is no user {recipient.user_id}, and no mail server for others: "
                "write a table [mail.smtp]"
            )
        return user
