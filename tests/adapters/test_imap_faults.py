"""A mail server that breaks, hangs, or is restarted: nothing is lost, nothing is done twice."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.adapters.imap_store import INDIVIDUAL, PATIENT, ImapStore, imap_store
from tests.adapters.mailbox_contract import ANNA, message
from tests.adapters.maildir_store import write_mail
from tests.dovecot import Dovecot, dovecot
from tests.imap_proxy import ImapProxy, Moment, Plan, imap_proxy
from tests.patience import AT_MOST
from vm_ari.adapters.imap.address import Patience
from vm_ari.adapters.imap.handling import SETTLE
from vm_ari.domain.messages import Counts, MessageKind, VoiceMessage
from vm_ari.ports import DeliveryPostponed, Mailbox, MailboxUnavailable, MessageGone

MOST_COMMANDS = 60
DELETED = "Deleted voice messages"
ONE_NEW = Counts(new_voice=1)


@pytest.fixture(scope="module")
def server() -> Iterator[Dovecot]:
    with dovecot("anna", "bert") as running:
        yield running


@pytest.fixture
def proxy(server: Dovecot) -> Iterator[ImapProxy]:
    with imap_proxy(server.port) as running:
        yield running


@pytest.fixture
def voice(tmp_path: Path) -> VoiceMessage:
    return message(tmp_path / "recording.wav")


def store_behind(server: Dovecot, proxy: ImapProxy, patience: Patience = PATIENT) -> ImapStore:
    return imap_store(server, INDIVIDUAL, url=proxy.url, patience=patience)


def prepared(server: Dovecot, voice: VoiceMessage | None) -> None:
    """Anna's mailbox with that message alone, or without any."""
    server.empty("anna")
    with server.mail_program("anna") as client:
        if voice:
            mail = write_mail(voice, ANNA, plain=False)
            client.append("INBOX", mail, ["$VoiceMessage"], voice.facts.started)


@dataclass(frozen=True)
class Lying:
    """How many messages a mail program sees."""

    inbox: int
    deleted: int
    seen: int = 0


def lying(server: Dovecot) -> Lying:
    with server.mail_program("anna") as client:
        inbox = len(client.search(["UNDELETED"]))
        seen = len(client.search(["UNDELETED", "SEEN"]))
        deleted = 0
        if client.folder_exists(DELETED):
            client.select_folder(DELETED)
            deleted = len(client.search(["UNDELETED"]))
    return Lying(inbox, deleted, seen)


async def only(box: Mailbox) -> str:
    [one] = await box.messages(MessageKind.VOICE, new=True)
    return one.uid


async def count(box: Mailbox, _: str) -> None:
    assert await box.counts() == ONE_NEW


async def list_(box: Mailbox, uid: str) -> None:
    assert await only(box) == uid


async def hear(box: Mailbox, uid: str) -> None:
    assert (await box.audio(uid)).stat().st_size > 10_000


async def mark(box: Mailbox, uid: str) -> None:
    await box.mark(uid, new=False)


async def delete(box: Mailbox, uid: str) -> None:
    await box.delete(uid)


Step = Callable[[Mailbox, str], Awaitable[None]]
STEPS: dict[str, tuple[Step, Lying]] = {
    "count": (count, Lying(1, 0)),
    "list": (list_, Lying(1, 0)),
    "hear": (hear, Lying(1, 0)),
    "mark": (mark, Lying(1, 0, seen=1)),
    "delete": (delete, Lying(0, 1)),
}


@pytest.mark.parametrize("poor", [False, True], ids=["rich", "poor"])
@pytest.mark.parametrize("moment", [Moment.BEFORE, Moment.AFTER], ids=["before", "after"])
@pytest.mark.parametrize("name", STEPS)
def test_a_step_that_is_cut_off_anywhere_is_done_once_all_the_same(
    server: Dovecot, proxy: ImapProxy, voice: VoiceMessage, name: str, moment: Moment, poor: bool
) -> None:
    step, expected = STEPS[name]

    async def story(place: int) -> bool:
        store = store_behind(server, proxy)
        proxy.plan = Plan(poor=poor)
        async with store.mailboxes.open(ANNA) as box:
            uid = await only(box)
            begun = len(proxy.plan.commands)
            proxy.plan.moment, proxy.plan.cut_at = moment, begun + place
            await step(box, uid)
        await store.doorman.close()
        return len(proxy.plan.commands) >= begun + place

    for place in range(1, MOST_COMMANDS):
        prepared(server, voice)
        was_cut = asyncio.run(story(place))
        assert lying(server) == expected, place
        if not was_cut:
            assert place > 1
            return
    raise AssertionError("there is no end to its commands")


@pytest.mark.parametrize("poor", [False, True], ids=["rich", "poor"])
@pytest.mark.parametrize("moment", [Moment.BEFORE, Moment.AFTER], ids=["before", "after"])
def test_a_deleted_message_comes_back_once_wherever_the_connection_breaks(
    server: Dovecot, proxy: ImapProxy, voice: VoiceMessage, moment: Moment, poor: bool
) -> None:
    async def story(place: int) -> bool:
        store = store_behind(server, proxy)
        proxy.plan = Plan(poor=poor)
        async with store.mailboxes.open(ANNA) as box:
            uid = await only(box)
            await box.delete(uid)
            begun = len(proxy.plan.commands)
            proxy.plan.moment, proxy.plan.cut_at = moment, begun + place
            await box.undelete(uid)
            assert await only(box) == uid
        await store.doorman.close()
        return len(proxy.plan.commands) >= begun + place

    for place in range(1, MOST_COMMANDS):
        prepared(server, voice)
        was_cut = asyncio.run(story(place))
        assert lying(server) == Lying(1, 0), place
        if not was_cut:
            return


@pytest.mark.parametrize("name", ["mark", "delete"])
@pytest.mark.parametrize("moment", [Moment.BEFORE, Moment.AFTER], ids=["before", "after"])
def test_while_every_connection_breaks_the_mailbox_is_unavailable_and_nothing_is_lost(
    server: Dovecot, proxy: ImapProxy, voice: VoiceMessage, name: str, moment: Moment
) -> None:
    step, expected = STEPS[name]

    async def story(place: int) -> bool:
        store = store_behind(server, proxy)
        proxy.plan = Plan()
        async with store.mailboxes.open(ANNA) as box:
            uid = await only(box)
            begun = len(proxy.plan.commands)
            proxy.plan = Plan(
                commands=proxy.plan.commands, cut_at=begun + place, moment=moment, again=True
            )
            try:
                await step(box, uid)
                broken = False
            except MailboxUnavailable:
                broken = True
        await store.doorman.close()
        return broken

    async def afterwards() -> None:
        proxy.plan = Plan()
        await asyncio.sleep(SETTLE)  # nobody is that quick on the phone
        store = store_behind(server, proxy)
        async with store.mailboxes.open(ANNA) as box:
            if (await box.counts()).new_voice:
                await step(box, await only(box))
        await store.doorman.close()

    for place in range(1, MOST_COMMANDS):
        prepared(server, voice)
        broken = asyncio.run(story(place))
        asyncio.run(afterwards())
        assert lying(server) == expected, place
        if not broken:
            assert place > 1
            return


async def delivered(store: ImapStore, voice: VoiceMessage) -> bool:
    try:
        await store.courier.deliver(voice, ANNA)
    except DeliveryPostponed:
        return False
    return True


@pytest.mark.parametrize("moment", [Moment.BEFORE, Moment.AFTER], ids=["before", "after"])
def test_a_delivery_that_is_cut_off_anywhere_is_made_once_in_the_end(
    server: Dovecot, proxy: ImapProxy, voice: VoiceMessage, moment: Moment
) -> None:
    async def story(place: int) -> bool:
        proxy.plan = Plan(cut_at=place, moment=moment)
        store = store_behind(server, proxy)
        first = await delivered(store, voice)
        assert lying(server).inbox == int(first), place
        was_cut = len(proxy.plan.commands) >= place
        proxy.plan = Plan()
        again = store_behind(server, proxy)
        if not await again.courier.has(voice, ANNA):
            await again.courier.deliver(voice, ANNA)
        for one in (store, again):
            await one.doorman.close()
        return was_cut

    for place in range(1, MOST_COMMANDS):
        prepared(server, None)
        was_cut = asyncio.run(story(place))
        assert lying(server) == Lying(1, 0), place
        if not was_cut:
            assert place > 4
            return


@pytest.mark.parametrize("share", [0.0, 0.5, 0.999, 1.0])
def test_a_message_that_is_cut_off_while_it_is_handed_over_is_there_once_in_the_end(
    server: Dovecot, proxy: ImapProxy, voice: VoiceMessage, share: float
) -> None:
    size = len(write_mail(voice, ANNA, plain=False)) + 2  # and a line end
    prepared(server, None)

    async def story() -> None:
        await delivered(probe := store_behind(server, proxy), voice)
        await probe.doorman.close()
        names = [command.partition(b" ")[0] for command in proxy.plan.commands]
        prepared(server, None)
        proxy.plan = Plan(
            cut_at=names.index(b"APPEND") + 1,
            moment=Moment.INSIDE,
            most_bytes=round(share * size) if share < 1 else size,
        )
        store = store_behind(server, proxy)
        assert not await delivered(store, voice)
        proxy.plan = Plan()
        await until_settled(server, 1 if share == 1 else 0)
        assert await store.courier.has(voice, ANNA) is (share == 1)
        assert await delivered(store, voice)
        await store.doorman.close()

    asyncio.run(story())
    assert lying(server) == Lying(1, 0)


async def until_settled(server: Dovecot, count: int) -> None:
    """A server may still be storing what came on a connection that is gone."""
    async with asyncio.timeout(AT_MOST):
        while lying(server).inbox != count:
            await asyncio.sleep(0.05)


def test_a_restart_between_two_steps_goes_unnoticed(server: Dovecot, voice: VoiceMessage) -> None:
    prepared(server, voice)

    async def story() -> None:
        store = imap_store(server)
        async with store.mailboxes.open(ANNA) as box:
            uid = await only(box)
            server.stop()
            server.start()
            assert (await box.audio(uid)).exists()
            await box.mark(uid, new=False)
            assert await box.counts() == Counts(heard_voice=1)
        await store.doorman.close()

    asyncio.run(story())


IMPATIENT = Patience(connect=0.5, answer=0.5, caller=1.0, delivery=1.0)


def test_nobody_waits_for_a_black_hole_longer_than_the_patience_says(
    server: Dovecot, proxy: ImapProxy, voice: VoiceMessage
) -> None:
    """Also when more callers wait than there are threads; and afterwards all is well."""
    prepared(server, voice)

    async def story() -> None:
        store = store_behind(server, proxy, IMPATIENT)
        async with store.mailboxes.open(ANNA) as box:
            proxy.flowing.clear()
            results = await asyncio.gather(
                *(box.counts() for _ in range(20)), return_exceptions=True
            )
            assert all(isinstance(result, MailboxUnavailable) for result in results)
            waits = []
            for _ in range(5):
                began = time.monotonic()
                with pytest.raises(MailboxUnavailable, match="left alone"):
                    await box.counts()
                waits.append(time.monotonic() - began)
            assert min(waits) < IMPATIENT.caller, "who comes later need not wait"
            proxy.flowing.set()
            assert await until_counted(box) == ONE_NEW
        await store.doorman.close()

    asyncio.run(story())


async def until_counted(box: Mailbox) -> Counts:
    async with asyncio.timeout(AT_MOST):
        while True:
            try:
                return await box.counts()
            except MailboxUnavailable:
                await asyncio.sleep(0.1)


def test_a_server_that_is_away_is_used_again_when_it_is_back(
    server: Dovecot, voice: VoiceMessage
) -> None:
    prepared(server, voice)

    async def story() -> None:
        store = imap_store(server)
        async with store.mailboxes.open(ANNA) as box:
            server.stop()
            for complaint in ("no connection", "left alone"):
                with pytest.raises(MailboxUnavailable, match=complaint):
                    await box.counts()
            with pytest.raises(DeliveryPostponed):
                await store.courier.deliver(voice, ANNA)
            server.start()
            assert await until_counted(box) == ONE_NEW
        await store.doorman.close()

    asyncio.run(story())


def test_a_mailbox_that_was_made_anew_has_none_of_the_old_messages(
    server: Dovecot, voice: VoiceMessage
) -> None:
    """UIDs begin again; whoever holds an old one must not get another message."""
    prepared(server, voice)

    async def story() -> None:
        store = imap_store(server)
        async with store.mailboxes.open(ANNA) as box:
            uid = await only(box)
            await asyncio.sleep(1.1)  # the server makes its number of the second
            prepared(server, voice)
            await store.doorman.close()
            again = imap_store(server)
            async with again.mailboxes.open(ANNA) as new_box:
                assert (await only(new_box)).endswith("-1")
                for step in (new_box.audio(uid), new_box.delete(uid), new_box.mark(uid, new=False)):
                    with pytest.raises(MessageGone):
                        await step
                assert await new_box.counts() == ONE_NEW
            await again.doorman.close()

    asyncio.run(story())
