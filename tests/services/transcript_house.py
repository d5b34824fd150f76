"""One controller whose messages are written down: real spool, queue and Maildirs."""

import asyncio
import email.policy
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path

from tests.adapters.maildir_store import write_mail
from tests.clock import run_virtually
from tests.recordings import record, spoken, wav
from tests.services.post import ANNA, LoopClock, ScriptedDirectory, facts_of
from vm_ari.adapters.audio import BadAudio, read, speech_seconds
from vm_ari.adapters.mail_queue import MailQueue
from vm_ari.adapters.maildir import MaildirCourier
from vm_ari.adapters.sealing import KeyRing
from vm_ari.adapters.spool import FileSpool
from vm_ari.adapters.store_mailer import StoreMailer
from vm_ari.adapters.system_mail import Sender, SystemMailWriter
from vm_ari.adapters.templates import MailTemplates
from vm_ari.adapters.transcript_jobs import FileTranscriptJobs
from vm_ari.config import shared_files
from vm_ari.domain.numbers import Site
from vm_ari.domain.settings import Rules
from vm_ari.domain.transcripts import NotTranscribed, Passage, Transcript, TranscriptRules
from vm_ari.domain.users import User
from vm_ari.services.deliveries import Pace
from vm_ari.services.outbox import Outbox
from vm_ari.services.system_mails import SystemMails
from vm_ari.services.transcripts import Transcripts

SITE = Site(base_number="+4930555")
WORDS = "The meeting is on Thursday at four."
SAID = Transcript((Passage(WORDS), Passage("Bring the folder.", sure=False)), "en")
TEMPLATES = MailTemplates(shared_files() / "templates")


@dataclass
class ScriptedTranscriber:
    """Hears what it is told to, as slowly; passes the contract of `test_transcription`."""

    answer: Transcript | Exception | None = SAID
    seconds: float = 0.0
    asked: list[str] = field(default_factory=list)
    """The languages it was told."""

    async def transcribe(self, audio: Path, language: str) -> Transcript | None:
        self.asked.append(language)
        try:
            samples, rate = read(audio)
        except BadAudio as error:
            raise NotTranscribed("the recording cannot be read") from error
        await asyncio.sleep(self.seconds)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer if speech_seconds(samples, rate) else None


@dataclass
class House:
    """Everything from the spool to the mailbox."""

    root: Path
    ears: ScriptedTranscriber = field(default_factory=ScriptedTranscriber)
    rules: TranscriptRules = field(default_factory=TranscriptRules)
    user: User = ANNA
    clock: LoopClock = field(default_factory=LoopClock)
    pace: Pace = field(default_factory=Pace)
    arrivals: list[float] = field(default_factory=list)
    """When voice messages came into the mailbox."""

    async def open(self) -> None:
        """Start the controller."""
        self.spool = FileSpool(self.root / "spool", min_free=0)
        await self.spool.claim()
        self.directory = ScriptedDirectory([self.user])
        self.queue = MailQueue(self.root / "queue", KeyRing(self.root / "keys"))
        writer = SystemMailWriter(TEMPLATES, Sender("voicemail@example.org", "Voicemail"), SITE)
        mailer = StoreMailer(self.root / "mail")
        self.post = SystemMails(self.queue, mailer, writer, self.clock, host="example.org")
        self.jobs = FileTranscriptJobs(self.root / "spool" / "transcripts")
        self.transcripts = Transcripts(
            MaildirCourier(self.root / "mail", write_mail),
            self.ears,
            self.jobs,
            self.directory,
            self.post,
            rules=self.rules,
            site=SITE,
        )
        self.outbox = Outbox(
            self.spool,
            self.directory,
            self.transcripts,
            self.clock,
            rules=Rules(),
            host="example.org",
            pace=self.pace,
            on_delivered=self._arrived,
        )
        runs = (self.outbox.run, self.transcripts.run, self.post.run)
        self.running = [asyncio.create_task(run()) for run in runs]
        await asyncio.sleep(0)

    async def shut(self) -> None:
        """Stop it."""
        for task in self.running:
            task.cancel()
        await asyncio.wait(self.running)
        self.spool.close()
        self.queue.close()
        self.jobs.close()

    async def _arrived(self, user: User) -> None:
        self.arrivals.append(asyncio.get_running_loop().time())

    async def leave(self, facts_id: str, samples: bytes | None = None) -> None:
        """A message, kept."""
        await self.spool.begin(facts_of(facts_id, self.user.id, "101"))
        said = spoken(3) if samples is None else samples
        record(self.spool.recording_path(facts_id, 1), wav(said))
        await self.spool.keep(facts_of(facts_id, self.user.id, "101"), 1, partial=False)
        self.outbox.wake()

    @property
    def mails(self) -> list[EmailMessage]:
        """In the user's mailbox."""
        new = self.root / "mail" / self.user.mailbox / "new"
        files = sorted(new.iterdir()) if new.is_dir() else []
        return [_parsed(file.read_bytes()) for file in files]

    @property
    def voice_messages(self) -> list[EmailMessage]:
        """Those that hold a recording."""
        return [mail for mail in self.mails if mail["Message-Context"] == "voice-message"]

    @property
    def followers(self) -> list[EmailMessage]:
        """Mails of the system."""
        return [mail for mail in self.mails if mail["Message-Context"] == "text-message"]

    @property
    def put_aside(self) -> list[str]:
        """Messages whose recording is still there to be written down."""
        folder = self.root / "spool" / "transcripts"
        names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
        return sorted(name for name in names if name != "tmp")


def text_of(mail: EmailMessage, subtype: str = "plain") -> str:
    """What the reader sees."""
    body = mail.get_body((subtype,))
    assert body is not None
    content = body.get_content()
    assert isinstance(content, str)
    return content


_parse = BytesParser(policy=email.policy.default).parsebytes
Story = Callable[[House], Awaitable[None]]


def _parsed(content: bytes) -> EmailMessage:
    mail = _parse(content)
    assert isinstance(mail, EmailMessage)
    return mail


def on(house: House, story: Story) -> House:
    """Run a story on a virtual loop, with the controller running."""

    async def run() -> None:
        await house.open()
        try:
            await story(house)
        finally:
            await house.shut()

    run_virtually(run())
    return house
