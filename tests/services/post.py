"""An outbox with the real spool on a real disk; courier, directory and Asterisk are scripted."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.clock import run_virtually
from tests.recordings import record, spoken, wav
from vm_ari.adapters.spool import FileSpool
from vm_ari.domain.callers import Caller
from vm_ari.domain.messages import CallFacts, VoiceMessage
from vm_ari.domain.pin import PinCheck
from vm_ari.domain.settings import Rules
from vm_ari.domain.users import User
from vm_ari.ports import DirectoryUnavailable
from vm_ari.services.deliveries import Pace
from vm_ari.services.outbox import Outbox

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ANNA = User("anna", "Anna", "101", ("101",), "anna@site.example")
BERT = User("bert", "Bert", "102", ("102",), "bert@site.example")


@dataclass
class LoopClock:
    """The wall clock of the virtual loop, which can be set."""

    offset: timedelta = timedelta(0)

    def now(self) -> datetime:
        return START + self.offset + timedelta(seconds=asyncio.get_running_loop().time())


@dataclass
class ScriptedDirectory:
    """Knows some users, or does not answer."""

    users: list[User] = field(default_factory=lambda: [ANNA, BERT])
    away: bool = False

    def _found(self, users: Sequence[User]) -> User | None:
        if self.away:
            raise DirectoryUnavailable("no directory server answers")
        return next(iter(users), None)

    async def user_by_number(self, number: str) -> User | None:
        return self._found([user for user in self.users if number in user.numbers])

    async def user_by_id(self, user_id: str) -> User | None:
        return self._found([user for user in self.users if user.id == user_id])

    async def all_users(self) -> Sequence[User]:
        return self.users

    async def check_pin(self, user_id: str, pin: str) -> PinCheck:
        raise NotImplementedError


Answer = Exception | None


@dataclass
class ScriptedCourier:
    """Delivers as told; remembers when, what and to whom."""

    answers: list[Answer] = field(default_factory=list)
    """One for each delivery to come; None and the end of the list mean success."""
    looks: list[bool | Exception] = field(default_factory=list)
    """One for each look to come; the end of the list means "not there"."""
    seconds: float = 0.0
    delivered: list[tuple[str, str]] = field(default_factory=list)
    """Message and user."""
    times: list[float] = field(default_factory=list)
    plain: list[bool] = field(default_factory=list)
    looked: int = 0
    at_work: int = 0
    most_at_work: int = 0
    users_at_work: list[str] = field(default_factory=list)
    on_delivery: Callable[[VoiceMessage], None] = lambda message: None

    async def deliver(self, message: VoiceMessage, user: User, *, plain: bool = False) -> None:
        self.times.append(asyncio.get_running_loop().time())
        self.plain.append(plain)
        assert user.id not in self.users_at_work, "two at once for one user"
        self.users_at_work.append(user.id)
        self.most_at_work = max(self.most_at_work, len(self.users_at_work))
        await asyncio.sleep(self.seconds)
        self.users_at_work.remove(user.id)
        self.on_delivery(message)
        if self.answers and (error := self.answers.pop(0)) is not None:
            raise error
        assert Path(message.audio).is_file()
        self.delivered.append((message.facts.id, user.id))

    async def has(self, message: VoiceMessage, user: User) -> bool:
        self.looked += 1
        answer = self.looks.pop(0) if self.looks else False
        if isinstance(answer, Exception):
            raise answer
        return answer


@dataclass
class Post:
    """Everything around one outbox."""

    root: Path
    courier: ScriptedCourier = field(default_factory=ScriptedCourier)
    directory: ScriptedDirectory = field(default_factory=ScriptedDirectory)
    clock: LoopClock = field(default_factory=LoopClock)
    rules: Rules = field(default_factory=Rules)
    pace: Pace = field(default_factory=Pace)
    talking: set[str] = field(default_factory=set)
    told: list[str] = field(default_factory=list)

    async def open(self) -> None:
        """Start the controller."""
        self.spool = FileSpool(self.root, min_free=0)
        await self.spool.claim()
        self.outbox = Outbox(
            self.spool,
            self.directory,
            self.courier,
            self.clock,
            rules=self.rules,
            host="pbx.example",
            pace=self.pace,
            on_delivered=self.tell,
        )
        self.loop = asyncio.create_task(self.outbox.run())
        await asyncio.sleep(0)

    async def shut(self) -> None:
        """Stop it."""
        self.loop.cancel()
        await asyncio.wait([self.loop])
        self.spool.close()

    async def tell(self, user: User) -> None:
        self.told.append(user.id)

    async def alive(self, channel_id: str) -> bool:
        return channel_id in self.talking

    async def leave(self, facts_id: str, user: User | None = ANNA, called: str = "101") -> None:
        """One message from begin to keep, as a dialogue does it."""
        self.outbox.take(await self.keep(facts_id, user, called))

    async def keep(
        self, facts_id: str, user: User | None = ANNA, called: str = "101"
    ) -> VoiceMessage:
        """The same, without a word to the outbox."""
        facts = facts_of(facts_id, user.id if user else None, called)
        await self.spool.begin(facts)
        record(self.spool.recording_path(facts_id, 1), wav(spoken(3)))
        return await self.spool.keep(facts, 1, partial=False)

    async def abandon(self, facts_id: str, *takes: bytes) -> None:
        """A call whose dialogue has died."""
        await self.spool.begin(facts_of(facts_id, ANNA.id, "101"))
        for number, content in enumerate(takes, 1):
            record(self.spool.recording_path(facts_id, number), content)

    def lies(self, state: str) -> list[str]:
        return sorted(path.name for path in (self.root / state).iterdir())


def facts_of(facts_id: str, user_id: str | None, called: str) -> CallFacts:
    return CallFacts(
        id=facts_id,
        message_id=f"<{facts_id}@pbx.example>",
        channel_id=f"channel-of-{facts_id}",
        called=called,
        user_id=user_id,
        caller=Caller("+49891234567", "Secret Name"),
        started=START,
    )


Story = Callable[[Post], Awaitable[None]]


def on(post: Post, story: Story) -> Post:
    """Run a story on a virtual loop, with the controller running."""

    async def run() -> None:
        await post.open()
        try:
            await story(post)
        finally:
            await post.shut()

    run_virtually(run())
    return post
