"""A house whose people send by telephone: everything but the telephone, as it is configured."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

from tests.adapters.sample_mail import parsed
from tests.adapters.smtp_server import Postbox, mail_server
from tests.fakes import FakeLamps
from tests.patience import AT_MOST
from tests.recordings import spoken, wav
from vm_ari.adapters.fax_documents import fax_papers
from vm_ari.adapters.sealing import KeyRing
from vm_ari.adapters.spool import FileSpool
from vm_ari.config import Config, load
from vm_ari.domain.callers import Caller
from vm_ari.domain.entries import entry_of
from vm_ari.domain.messages import CallFacts, MessageKind, StoredMessage
from vm_ari.domain.recording import Ending
from vm_ari.domain.sending import Errand, Recipient, Sending
from vm_ari.domain.users import User
from vm_ari.services.fax_forwarding import FaxForwarding
from vm_ari.services.fax_ordering import FaxOrdering
from vm_ari.services.inbox import Inbox, Inboxes
from vm_ari.services.lamps import LampKeeper
from vm_ari.services.outbox import Outbox
from vm_ari.services.sendings import Dispatch, Sendings
from vm_ari.services.system_mails import SystemMails
from vm_ari.wiring.directories import open_directories
from vm_ari.wiring.faxes import open_fax_ordering
from vm_ari.wiring.mail import open_post
from vm_ari.wiring.sending import open_sending
from vm_ari.wiring.store import MessageStore, open_store

ANNA, BERT, CARLA = (
    User(name.lower(), f"{name} {surname}", box, (f"+4930555{box}",), f"{name.lower()}@example.org")
    for name, surname, box in (
        ("Anna", "Berg", "101"),
        ("Bert", "Klein", "102"),
        ("Carla", "Nüßle", "103"),
    )
)
SETTINGS = """
log_level = "error"
templates = "{templates}"
[site]
base_number = "+4930555"
area = "30"
default_recipient = "carla@example.org"
[directory]
url = "sqlite:///{base}/directory.db"
keys = "{base}/keys"
[spool]
directory = "{base}/recording/vm-ari"
[store]
maildir = "{base}/mail"
[mail]
sender = "voicemail@example.org"
"""
BY_MAIL = """
[mail.smtp]
host = "127.0.0.1"
port = {port}
security = "none"
[sending]
voice_address = "$(phonenumber)@$(addrtype).example.org"
fax_address = "$(phonenumber)@$(addrtype).example.org"
search_address = "$(phonenumber)@$(addrtype).example.org"
"""


class HastyClock:
    """A minute passes whenever somebody looks, so that no pause lasts."""

    def __init__(self) -> None:
        self._ahead = timedelta(0)

    def now(self) -> datetime:
        self._ahead += timedelta(seconds=61)
        return datetime(2026, 3, 2, 9, 0, tzinfo=UTC) + self._ahead


@dataclass
class House:
    """One controller without Asterisk."""

    config: Config
    clock: HastyClock
    spool: FileSpool
    store: MessageStore
    inboxes: Inboxes
    outbox: Outbox
    sendings: Sendings
    mails: SystemMails
    postbox: Postbox = field(default_factory=Postbox)
    faxes: FaxOrdering | None = None
    """Where the house sends them itself."""

    async def leave(self, user: User, caller: Caller, seconds: float = 3.0) -> None:
        """A caller's message, as the outbox delivers it."""
        name = f"{caller.number.strip('+')}left{user.id}"
        number = user.numbers[0]
        now = self.clock.now()
        facts = CallFacts(name, f"<{name}@example.org>", "1.1", number, user.id, caller, now)
        await self.spool.begin(facts)
        self.record(self.spool.recording_name(name, 1), seconds)
        await self.spool.keep(facts, 1, partial=False)
        await self.settled()

    def receive(self, user: User, mail: bytes) -> None:
        """A mail from anywhere."""
        folder = self.config.store.maildir / user.mailbox / "new"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"1774745970.M{len(mail)}P1.host").write_bytes(mail)

    def record(self, name: str, seconds: float = 3.0) -> None:
        """What Asterisk does."""
        path = self.config.spool.directory.parent / f"{name}.wav"
        path.write_bytes(wav(spoken(seconds)))

    async def say(self, dispatch: Dispatch, seconds: float = 3.0) -> None:
        """What a user says after the tone, before hanging up."""
        self.record(dispatch.next_take(), seconds)
        assert await dispatch.judge(Ending.HANG_UP)

    async def send(self, *recipients: Recipient, sender: User = ANNA) -> None:
        """A new message."""
        sending = Sending(Errand.MESSAGE, sender.id, recipients)
        dispatch = await self.sendings.begin(channel_id="2.2", owner=sender, sending=sending)
        await self.say(dispatch)
        assert await dispatch.send()
        await self.settled()

    async def about(
        self,
        errand: Errand,
        *recipients: Recipient,
        kind: MessageKind = MessageKind.VOICE,
        words: bool = True,
    ) -> None:
        """Anna answers or forwards the one new message of that kind that she has."""
        async with self.inboxes.open(ANNA) as inbox:
            [message] = await inbox.mailbox.messages(kind, new=True)
            sending = Sending(errand, ANNA.id, recipients)
            dispatch = await self.sendings.begin(
                channel_id="2.2", owner=ANNA, sending=sending, inbox=inbox, message=message
            )
        if words:
            await self.say(dispatch, 2.5)
        assert await dispatch.send()
        await self.settled()

    async def answer_to(self, kind: MessageKind) -> Recipient | None:
        """Whom Anna would answer."""
        async with self.inboxes.open(ANNA) as inbox:
            [message] = await inbox.mailbox.messages(kind, new=True)
            return await self.sendings.answer_to(ANNA, inbox, message)

    async def settled(self) -> None:
        """Until nothing waits in the spool."""
        async with asyncio.timeout(AT_MOST):
            while any((self.config.spool.directory / "new").iterdir()):
                self.outbox.wake()
                await asyncio.sleep(0.01)

    async def told(self, user: User = ANNA) -> list[EmailMessage]:
        """The mails of the system that Anna has got; they go by SMTP, too."""
        await self.mails.send_what_is_due()
        return [mail for to, mail in self._posted() if to == user.mail]

    def mails_of(self, user: User) -> list[EmailMessage]:
        """In the user's INBOX."""
        folder = self.config.store.maildir / user.mailbox / "new"
        files = sorted(folder.iterdir()) if folder.is_dir() else []
        return [parsed(file.read_bytes()) for file in files]

    def outside(self) -> list[tuple[str, EmailMessage]]:
        """What has left the house: recipient and mail."""
        return [(to, mail) for to, mail in self._posted() if to != ANNA.mail]

    def _posted(self) -> list[tuple[str, EmailMessage]]:
        return [(to, parsed(mail)) for _sender, [to], mail in self.postbox.mails]

    @asynccontextmanager
    async def listening(self, user: User) -> AsyncIterator[tuple[Inbox, list[StoredMessage]]]:
        """The user's new voice messages, by telephone."""
        async with self.inboxes.open(user) as inbox:
            yield inbox, list(await inbox.mailbox.messages(MessageKind.VOICE, new=True))

    def lies(self, state: str) -> list[str]:
        return sorted(path.name for path in (self.config.spool.directory / state).iterdir())


@asynccontextmanager
async def house(
    base: Path,
    more: str = "",
    *,
    by_mail: bool = True,
    postbox: Postbox | None = None,
    information: bool = True,
) -> AsyncIterator[House]:
    """Anna, Bert and Carla work here; *more* is configuration."""
    box = postbox or Postbox()
    async with AsyncExitStack() as stack:
        gateway = ""
        if by_mail:
            port = await stack.enter_async_context(mail_server(box))
            gateway = BY_MAIL.replace("{port}", str(port))
        templates = Path(__file__).parents[2] / "templates"
        first = SETTINGS if information else f"{SETTINGS}information = false\n"
        text = (first + gateway + more).replace("{base}", str(base))
        yield await _opened(
            stack, configured_with(base, text.replace("{templates}", str(templates))), box
        )


def configured_with(base: Path, text: str) -> Config:
    """Tables before ``[asterisk]`` would be settings of it."""
    first, _, rest = text.partition("[site]")
    config = base / "vm-ari.toml"
    config.write_text(f'{first}\n[asterisk]\npassword = "x"\n[site]{rest}')
    return load(config)


async def _opened(stack: AsyncExitStack, config: Config, postbox: Postbox) -> House:
    clock, keys = HastyClock(), KeyRing(config.directory.keys)
    directories = open_directories(config, keys, clock)
    if not await directories.register.all_entries():
        await directories.register.add_entries([entry_of(user) for user in (ANNA, BERT, CARLA)])
    spool = FileSpool(config.spool.directory, min_free=0)
    await spool.claim()
    stack.callback(spool.close)
    store = open_store(config, keys, directories.register, config.spool.directory / "listening")
    (config.spool.directory / "listening").mkdir(exist_ok=True)
    post = open_post(config, keys, clock, directories.for_calls, directories.register)
    opened = open_fax_ordering(config, keys, clock)
    fax = FaxForwarding(opened.ordering, fax_papers) if opened else None
    parts = open_sending(
        config, store.courier, spool, directories.for_calls, post.mails, clock, fax
    )
    lamps = LampKeeper(FakeLamps(), store.mailboxes, directories.for_calls)
    outbox = Outbox(
        spool,
        directories.for_calls,
        parts.courier,
        clock,
        rules=config.rules(),
        host="example.org",
        on_delivered=lamps.refresh,
        on_refused=parts.refused,
        on_sent=parts.arrived,
    )
    sendings = parts.sendings(outbox.wake)
    assert sendings
    running = asyncio.create_task(outbox.run())
    stack.push_async_callback(directories.close)
    stack.push_async_callback(post.close)
    stack.push_async_callback(_stopped, running)
    inboxes = Inboxes(store.mailboxes, lamps)
    if opened:
        stack.callback(opened.close)
    return House(
        config,
        clock,
        spool,
        store,
        inboxes,
        outbox,
        sendings,
        post.mails,
        postbox,
        opened.ordering if opened else None,
    )


async def _stopped(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.wait([task])


Story = Callable[[House], Awaitable[None]]


def at(
    base: Path,
    story: Story,
    more: str = "",
    *,
    by_mail: bool = True,
    postbox: Postbox | None = None,
    information: bool = True,
) -> None:
    """Run a story in such a house."""

    async def run() -> None:
        async with house(
            base, more, by_mail=by_mail, postbox=postbox, information=information
        ) as one:
            await story(one)

    asyncio.run(run())
