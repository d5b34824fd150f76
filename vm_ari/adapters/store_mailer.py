"""Mails of the system into the users' own Maildirs, where there is no mail server (STORE-01)."""

import asyncio
from hashlib import sha256
from pathlib import Path

from vm_ari.adapters import maildir_tree as tree
from vm_ari.adapters.mail_writing import date_of
from vm_ari.adapters.maildir_tree import Folder
from vm_ari.domain.system_mails import Recipient
from vm_ari.domain.users import User
from vm_ari.ports import DeliveryPostponed


class StoreMailer:
    """`ports.Mailer` into Maildirs below *root*; a mail that is there already is not added."""

    def __init__(self, root: Path) -> None:
        self._root = root

    async def send(self, mail: bytes, recipient: Recipient, *, message_id: str) -> None:
        """See `Mailer`; exactly once, however often it is tried."""
        try:
            await asyncio.to_thread(self._store, mail, recipient, message_id)
        except OSError as error:
            raise DeliveryPostponed(f"{error.strerror}: {error.filename}") from error

    def _store(self, mail: bytes, recipient: Recipient, message_id: str) -> None:
        owner = User(recipient.user_id, "", recipient.mailbox, (), recipient.mail)
        inbox, uid = Folder(self._root / tree.store_name(owner)), _name(mail, message_id)
        inbox.create()
        if not tree.holds(inbox.path, uid):
            tree.add(inbox, uid, "", mail.replace(b"\r\n", b"\n"))


def _name(mail: bytes, message_id: str) -> str:
    """The same for the same mail; not like that of a voice message (`maildir_tree.is_own`)."""
    digest = sha256(message_id.encode()).hexdigest()[:24]
    return f"{int(date_of(mail).timestamp())}.mail-{digest}.vm-ari"
