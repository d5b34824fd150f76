"""Messages on their way between the stores when processes die and servers fail."""

import asyncio
import functools
import random
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.mailbox_contract import ANNA, BERT
from tests.adapters.store_sides import (
    Lying,
    Stores,
    all_sorts,
    arrival,
    lying_local,
    put_local,
    put_remote,
    voice,
)
from tests.dovecot import Dovecot, dovecot
from vm_ari.adapters.maildir import MaildirMailbox, MaildirMailboxes
from vm_ari.domain.messages import MessageKind
from vm_ari.domain.store_moving import Fate, StoreKind
from vm_ari.domain.users import User
from vm_ari.ports import MessageGone
from vm_ari.services.store_migration import Holdings, StoreSide

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def server() -> Iterator[Dovecot]:
    with dovecot("anna", "bert") as running:
        yield running


@pytest.fixture(autouse=True)
def _empty(server: Dovecot) -> None:
    for user in ("anna", "bert"):
        server.empty(user)
        with server.mail_program(user):
            pass  # others see a mailbox only after its owner had it made


@pytest.fixture
def stores(tmp_path: Path, server: Dovecot) -> Stores:
    return Stores(tmp_path, server)


class Killed(BaseException):
    """In place of the end of the process."""


class Dying:
    """A side whose process dies at its n-th step, before or after the step is done."""

    def __init__(self, side: StoreSide, fate: "Fuse") -> None:
        self._side = side
        self._fate = fate

    @asynccontextmanager
    async def open(self, user: User) -> AsyncIterator[Holdings]:
        async with self._side.open(user) as holdings:
            yield _DyingHoldings(holdings, self._fate)


def _dying(side: StoreSide, fuse: "Fuse") -> StoreSide:
    return Dying(side, fuse)


class Fuse:
    """Counts the steps that are left; the last one is begun or done by *late*."""

    def __init__(self, steps: int, *, late: bool) -> None:
        self.steps = steps
        self.late = late

    def burns(self, *, late: bool) -> None:
        if late is self.late:
            self.steps -= 1
            if self.steps < 0:
                raise Killed


class _DyingHoldings:
    def __init__(self, holdings: Holdings, fuse: Fuse) -> None:
        self._holdings = holdings
        self._fuse = fuse

    def __getattr__(self, name: str) -> Any:
        step = getattr(self._holdings, name)

        async def taken(*given: Any) -> Any:
            self._fuse.burns(late=False)
            done = await step(*given)
            self._fuse.burns(late=True)
            return done

        return taken


@pytest.mark.feature_part("STORE-04", "exactly once, however often it is killed and resumed")
@pytest.mark.parametrize("source", StoreKind)
def test_every_message_arrives_once_whenever_it_is_killed(
    stores: Stores, source: StoreKind
) -> None:
    seed = random.SystemRandom().randrange(10**6)
    print("seed", seed)
    chance = random.Random(seed)
    sorts = all_sorts()[:8]
    if source is StoreKind.LOCAL:
        put_local(stores.inbox, sorts)
    else:
        put_remote(stores.server, "anna", sorts)
    deaths = 0
    while True:
        fuse = Fuse(chance.randrange(1, 9), late=chance.random() < 0.5)
        try:
            [tally] = stores.move(source, remove=True, through=functools.partial(_dying, fuse=fuse))
            break
        except (Killed, BaseExceptionGroup):
            deaths += 1
        assert deaths < 100
        _tear(stores.file, chance)
    assert deaths > 2
    assert (tally.fate, tally.found, tally.copied + tally.there) == (Fate.DONE, 8, 8)
    new, old = stores.there(), stores.here()
    if source is StoreKind.IMAP:
        new, old = old, new
    assert (new, old) == (sorted(sorts), [])


def _tear(file: Path, chance: random.Random) -> None:
    """The last line was being written."""
    if chance.random() < 0.5:
        with file.open("ab") as journal:
            journal.write(b'{"there": "inb')


def test_a_copy_that_the_server_rewrites_is_known_again(stores: Stores) -> None:
    """Some servers change what they are given: the journal remembers where it must be."""
    put_local(stores.inbox, all_sorts()[:1])
    with pytest.raises((Killed, BaseExceptionGroup)):
        stores.move(through=functools.partial(_dying, fuse=Fuse(4, late=False)))
    assert stores.there() == []
    changed = replace(all_sorts()[0], mail=b"X-Added: by the server\n" + voice(1))
    put_remote(stores.server, "anna", [changed])
    [tally] = stores.move()
    assert (tally.fate, tally.copied) == (Fate.DONE, 1)
    assert stores.there() == [changed]


def test_what_its_owner_threw_away_meanwhile_does_not_come_again(stores: Stores) -> None:
    sorts = all_sorts()[:3]
    put_local(stores.inbox, sorts)
    with pytest.raises((Killed, BaseExceptionGroup)):
        stores.move(remove=True, through=functools.partial(_dying, fuse=Fuse(5, late=False)))
    assert stores.there() == sorts[:1]
    with stores.server.mail_program("anna") as client:
        client.delete_messages(client.search())
        client.expunge()
    [tally] = stores.move(remove=True)
    assert (tally.fate, tally.copied, tally.removed) == (Fate.DONE, 3, 2)
    assert stores.there() == sorted(sorts[1:])
    assert stores.here() == sorts[:1], "nothing is lost, either"


def test_a_server_that_is_away_leaves_all_where_it_is(stores: Stores) -> None:
    sorts = all_sorts()
    put_local(stores.inbox, sorts)
    stores.server.stop()
    try:
        [tally] = stores.move(remove=True)
    finally:
        stores.server.start()
    assert tally.fate is Fate.FAILED
    assert "Connection refused" in tally.reason
    assert stores.here() == sorted(sorts)
    assert stores.move(remove=True)[0].fate is Fate.DONE
    assert stores.there() == sorted(sorts)


def test_a_restart_in_the_middle_is_waited_for(stores: Stores) -> None:
    sorts = all_sorts()
    put_local(stores.inbox, sorts)
    server = stores.server

    class RestartFuse(Fuse):
        def burns(self, *, late: bool) -> None:
            self.steps -= 1
            if self.steps == 0:
                server.stop()
            if self.steps == -2:
                server.start()

    fuse = RestartFuse(20, late=False)
    through = functools.partial(_dying, fuse=fuse)
    [tally] = stores.move(remove=True, through=through, pauses=(0.2, 0.5, 2.0, 5.0))
    assert (tally.fate, tally.found) == (Fate.DONE, 9)
    assert (stores.there(), stores.here()) == (sorted(sorts), [])


def test_a_full_mailbox_keeps_the_rest_at_the_old_place(tmp_path: Path) -> None:
    with dovecot("anna", settings="plugin {\n  quota_rule = *:storage=1M\n}\n") as small:
        stores = Stores(tmp_path, small)
        sorts = [*all_sorts()[:2], all_sorts()[8]]
        put_local(stores.inbox, sorts)
        [tally] = stores.move(remove=True)
        assert (tally.fate, tally.copied, tally.failed) == (Fate.FAILED, 2, 1)
        assert "the mailbox of user anna is full" in tally.reason
        assert stores.there() == sorted(sorts[:2])
        assert stores.here() == sorted(sorts[2:])


def test_one_user_without_a_mailbox_does_not_hold_up_the_others(stores: Stores) -> None:
    put_local(stores.inbox, all_sorts())
    put_local(stores.root / "103", all_sorts()[:2])
    nobody = replace(BERT, id="carl", mailbox="103", mail="carl@example.org")
    failed, done = sorted(
        stores.move(StoreKind.LOCAL, nobody, ANNA), key=lambda one: one.fate.value
    )[::-1]
    assert (failed.user, done.user) == ("carl", "anna")
    assert len(lying_local(stores.root / "103")) == 2


def test_a_message_that_goes_away_meanwhile_is_counted_as_gone(stores: Stores) -> None:
    put_local(stores.inbox, all_sorts()[:3])

    class Thief(Fuse):
        def burns(self, *, late: bool) -> None:
            if late:
                self.steps -= 1
            if self.steps == 0:
                for file in stores.inbox.rglob("*M2P1*"):
                    file.unlink()

    [tally] = stores.move(through=functools.partial(_dying, fuse=Thief(1, late=True)))
    assert (tally.fate, tally.found, tally.copied, tally.gone) == (Fate.DONE, 3, 2, 1)


@pytest.mark.feature_part("STORE-04", "messages move while calls are served")
def test_messages_move_while_their_owner_and_callers_go_on(stores: Stores) -> None:
    seed = random.SystemRandom().randrange(10**6)
    print("seed", seed)
    chance = random.Random(seed)
    numbers = range(100, 140)
    put_local(stores.inbox, [Lying("INBOX", (), arrival(n), voice(n)) for n in numbers[:30]])

    async def owner() -> None:
        async with MaildirMailboxes(stores.root).open(ANNA) as box:
            for _ in range(40):
                for one in (await box.messages(MessageKind.VOICE, new=True))[:1]:
                    with suppress(MessageGone):
                        await (box.delete(one.uid) if chance.random() < 0.5 else hear(box, one.uid))
                await asyncio.sleep(0.002)

    async def callers() -> None:
        for n in numbers[30:]:
            await asyncio.to_thread(post, stores.inbox, n)
            await asyncio.sleep(0.02)

    async def story() -> None:
        await asyncio.gather(owner(), callers(), stores.moving(StoreKind.LOCAL, ANNA, remove=True))

    asyncio.run(story())
    for _ in range(2):
        stores.forget()
        [tally] = stores.move(remove=True)
    assert (tally.fate, tally.found) == (Fate.DONE, 0)
    assert sorted(one.mail for one in stores.there()) == sorted(voice(n) for n in numbers)


async def hear(box: MaildirMailbox, uid: str) -> None:
    await box.mark(uid, new=False)


def post(inbox: Path, number: int) -> None:
    """As a delivery agent does it."""
    name = f"{int(arrival(number).timestamp())}.P{number}.host"
    (inbox / "tmp" / name).write_bytes(voice(number))
    (inbox / "tmp" / name).rename(inbox / "new" / name)


def test_one_odd_file_stays_and_the_others_go(stores: Stores, tmp_path: Path) -> None:
    put_local(stores.inbox, all_sorts()[:2])
    (tmp_path / "secret").write_bytes(voice(50))
    (stores.inbox / "cur" / "1774745970.P1.link:2,").symlink_to(tmp_path / "secret")
    (stores.inbox / "cur" / "1774745970.P1.directory:2,").mkdir()
    [tally] = stores.move(remove=True)
    assert (tally.fate, tally.copied, tally.failed) == (Fate.FAILED, 2, 2)
    assert "cannot be read" in tally.reason
    assert stores.there() == sorted(all_sorts()[:2])
    assert len(list((stores.inbox / "cur").iterdir())) == 2


WITH_LITTLE_SPACE = """
import resource, sys
from pathlib import Path
from tests.adapters.store_sides import Stores
from tests.dovecot import Dovecot
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
Stores(Path(sys.argv[1]), Dovecot(Path("/nowhere"), (), port=int(sys.argv[2]))).move()
"""


def test_a_full_disk_under_the_journal_stops_it(stores: Stores) -> None:
    sorts = all_sorts()[:8]
    put_local(stores.inbox, sorts)
    words = [sys.executable, "-c", WITH_LITTLE_SPACE, str(stores.base), str(stores.server.port)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert "MigrationUnusable: The journal" in done.stderr
    assert "File too large" in done.stderr
    assert 0 < len(stores.there()) < 8
    [tally] = stores.move(remove=True)
    assert (tally.fate, tally.found, tally.copied) == (Fate.DONE, 8, 8)
    assert (stores.there(), stores.here()) == (sorted(sorts), [])
