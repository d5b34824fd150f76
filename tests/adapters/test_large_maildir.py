"""A Maildir with very many mails: the first look opens few of them (INBOX-12)."""

import asyncio
from pathlib import Path

from tests.adapters.mailbox_contract import ANNA
from tests.adapters.maildir_store import maildir_store
from vm_ari.adapters.maildir import LOOKED_AT
from vm_ari.domain.messages import Counts, MessageKind
from vm_ari.ports import Mailbox

VOICE = b"Message-Context: voice-message\nSubject: x\n\nx\n"
MAIL = b"Subject: x\n\nx\n"


def test_of_what_was_read_long_ago_only_our_own_messages_are_looked_at(tmp_path: Path) -> None:
    store = maildir_store(tmp_path)
    for name in ("tmp", "new", "cur"):
        (store.inbox / name).mkdir(parents=True)
    files = {
        "1600000000.old.host:2,S": VOICE,
        "1600000001.voice-0.vm-ari:2,S": VOICE,
        "1600000002.unread.host:2,": VOICE,
        "1800000000.newest.host:2,S": VOICE,
    }
    files |= {f"17{number:08}.m.host:2,S": MAIL for number in range(LOOKED_AT)}
    for name, content in files.items():
        (store.inbox / "cur" / name).write_bytes(content)

    async def story(box: Mailbox) -> None:
        assert await box.counts() == Counts(new_voice=1, heard_voice=2)
        [unread] = await box.messages(MessageKind.VOICE, new=True)
        await box.mark(unread.uid, new=False)
        assert await box.counts() == Counts(heard_voice=3), "it is known now, and is not lost"
        heard = await box.messages(MessageKind.VOICE, new=False)
        assert {one.uid.split(".")[1] for one in heard} == {"voice-0", "unread", "newest"}
        read = await box.messages(MessageKind.MAIL, new=False)
        assert len(read) == LOOKED_AT - 1

    async def run() -> None:
        async with store.mailboxes.open(ANNA) as box:
            await story(box)

    asyncio.run(run())
