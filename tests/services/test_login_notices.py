"""Users are told that their login is locked and that their PIN ends: each once, and never lost."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from vm_ari.adapters.database import EmbeddedDirectory
from vm_ari.adapters.sealing import KeyRing
from vm_ari.domain.access import LoginRules
from vm_ari.domain.login_state import unlocked, with_pin
from vm_ari.domain.system_mails import SystemMail
from vm_ari.domain.users import User
from vm_ari.ports import MailNotQueued
from vm_ari.services.login_notices import LoginNotices

ANNA = User("anna", "Anna", "101", ("101",), "anna@example.org")
BERT = User("bert", "Bert", "102", ("102",), "bert@example.org")
NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
RULES = LoginRules(pin_days=90, reminder_days=7)


@dataclass
class Clock:
    """Stands where the test puts it."""

    time: datetime = NOW

    def now(self) -> datetime:
        """See `Clock`."""
        return self.time


@dataclass
class Post:
    """`Notices` that keep their promise: one occasion, one mail. *broken*: it cannot be queued."""

    broken: bool = False
    mails: dict[tuple[str, SystemMail, str], Mapping[str, object]] = field(default_factory=dict)

    async def tell(
        self, user: User, mail: SystemMail, values: Mapping[str, object], *, occasion: str
    ) -> None:
        """See `Notices`."""
        if self.broken:
            raise MailNotQueued("the test says so")
        self.mails.setdefault((user.id, mail, occasion), values)

    def told(self) -> list[tuple[str, str]]:
        """Who, and what about."""
        return [(user, mail.value) for user, mail, _occasion in self.mails]


@dataclass
class Site:
    """A directory on the disk, and the mails."""

    directory: EmbeddedDirectory
    clock: Clock = field(default_factory=Clock)
    post: Post = field(default_factory=Post)
    rules: LoginRules = RULES

    def __post_init__(self) -> None:
        self.notices = self.again()

    def again(self) -> LoginNotices:
        """As after a restart."""
        return LoginNotices(self.directory, self.directory, self.post, self.clock, self.rules)

    async def wrong_pins(self, user: User, count: int) -> None:
        """Somebody tries them, at the same time."""

        async def one() -> None:
            await self.directory.check_pin(user.id, "0")
            self.notices.failed(user)

        await asyncio.gather(*(one() for _ in range(count)))
        await self.notices.settle()


def on_site(
    base: Path, story: Callable[[Site], Awaitable[None]], rules: LoginRules = RULES
) -> None:
    async def run() -> None:
        directory = EmbeddedDirectory(f"sqlite:///{base}/d.db", KeyRing(base / "keys"))
        try:
            for user in (ANNA, BERT):
                await directory.add_user(user)
                await directory.change_login(user.id, lambda s: with_pin(s, "730264", NOW))
            await story(Site(directory, rules=rules))
        finally:
            await directory.close()

    asyncio.run(run())


LOCKED, ENDS = ("anna", "login-locked"), ("anna", "pin-reminder")


@pytest.mark.feature_part("LOGIN-03", "the user is informed by mail, once for each lock")
def test_a_lock_is_told_once_however_many_try(tmp_path: Path) -> None:
    async def story(site: Site) -> None:
        await site.wrong_pins(ANNA, 4)
        assert site.post.told() == []
        await site.wrong_pins(ANNA, 20)
        assert site.post.told() == [LOCKED]
        [values] = site.post.mails.values()
        assert values == {"when": NOW, "failures": 5}
        site.clock.time += timedelta(hours=1)
        await site.wrong_pins(ANNA, 3)
        await site.again().round()
        assert site.post.told() == [LOCKED]
        await site.directory.change_login("anna", unlocked)
        site.clock.time += timedelta(hours=1)
        await site.wrong_pins(ANNA, 5)
        assert site.post.told() == [LOCKED] * 2

    on_site(tmp_path, story)


@pytest.mark.feature_part("LOGIN-03", "a lock whose mail was lost in a crash is told later")
def test_a_lock_that_nobody_could_tell_is_told_by_the_next_round(tmp_path: Path) -> None:
    async def story(site: Site) -> None:
        for _ in range(5):
            await site.directory.check_pin("anna", "0")  # and the process dies
        assert (await site.again().round()).locks_told == 1
        assert site.post.told() == [LOCKED]
        site.post.broken = True
        await site.wrong_pins(BERT, 5)
        assert (await site.again().round()).failed >= 1
        site.post.broken = False
        await site.again().round()
        assert sorted(site.post.told()) == [LOCKED, ("bert", "login-locked")]

    on_site(tmp_path, story)


def test_a_site_can_do_without_these_mails(tmp_path: Path) -> None:
    async def story(site: Site) -> None:
        await site.wrong_pins(ANNA, 6)
        await site.notices.round()
        assert site.post.told() == []

    on_site(tmp_path, story, LoginRules(lock_notice=False))


@pytest.mark.feature_part("LOGIN-04", "reminder so many days before by mail, once, over restarts")
def test_who_has_a_pin_that_ends_is_reminded_once(tmp_path: Path) -> None:
    async def story(site: Site) -> None:
        await site.directory.change_login("bert", lambda s: with_pin(s, "835271", None))
        for _day in range(100):
            await site.again().round()
            site.clock.time += timedelta(days=1)
        assert site.post.told().count(ENDS) == 1
        [values] = [v for (user, _, _), v in site.post.mails.items() if user == "anna"]
        assert values == {"ends": NOW + timedelta(days=90), "days": 7, "prevented": False}

    on_site(tmp_path, story)


@pytest.mark.feature_part("LOGIN-04", "a reminder that could not be queued comes the day after")
def test_a_reminder_is_not_lost_when_the_mail_cannot_be_queued(tmp_path: Path) -> None:
    async def story(site: Site) -> None:
        site.clock.time += timedelta(days=84)
        site.post.broken = True
        assert (await site.again().round()).failed == 2
        site.post.broken = False
        assert (await site.again().round()).reminded == 2
        assert (await site.again().round()).reminded == 0

    on_site(tmp_path, story)


@pytest.mark.feature_part("LOGIN-04", "PINs of unknown age count from the first round on")
def test_pins_of_unknown_age_count_from_the_first_round(tmp_path: Path) -> None:
    async def story(site: Site) -> None:
        await site.directory.set_pin("anna", "835271")
        assert (await site.directory.login_state("anna")).pin_set is None
        assert (await site.notices.round()).dated == 1
        assert (await site.directory.login_state("anna")).pin_set == NOW
        assert (await site.notices.round()).dated == 0

    on_site(tmp_path, story)
