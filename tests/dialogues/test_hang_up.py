"""The caller hangs up: at every moment of a call, what was said after the tone is kept."""

from collections.abc import Iterator

import pytest

from tests.dialogues.exchange import ANNA, PIN, Exchange, message
from tests.phone import Caller, Phone, Told
from vm_ari.domain.recording import Ending, Limits, Take, worth_keeping
from vm_ari.speech.catalogue import P

FINE, COARSE = 0.02, 0.25
"""Seconds between two moments at which somebody hangs up."""


def moments(until: float, *interesting: float) -> Iterator[float]:
    """Coarse steps over the whole call, fine ones around what is interesting."""
    steps = (n * COARSE for n in range(round(until / COARSE) + 1))
    close = (at + n * FINE for at in interesting for n in range(-6, 7))
    return iter(sorted({round(moment, 3) for moment in (*steps, *close) if moment >= 0}))


async def sends(phone: Phone) -> None:
    """Greeting (5 s), tone (1 s), 6 s of speech, review, hearing it, sending it."""
    await phone.speaks(6)
    phone.presses("#")
    await phone.hears(P.TO_SEND, P.TO_HEAR)
    phone.presses("2")
    await phone.waits(1.5)
    await phone.hears(P.TO_SEND)
    phone.presses("1")
    await phone.hears_the_end()


async def is_silent_in_the_review(phone: Phone) -> None:
    """Straight to the tone, 6 s of speech, then nothing any more."""
    phone.presses("0")
    await phone.speaks(6)
    await phone.hears_the_end()


async def records_again(phone: Phone) -> None:
    """4 s of speech, then again 5 s, marked urgent in between."""
    phone.presses("0")
    await phone.speaks(4)
    phone.presses("#4")
    await phone.hears(P.MARKED_URGENT, P.TO_REDO)
    phone.presses("3")
    await phone.hears(P.BEEP)
    await phone.speaks(5)
    phone.presses("#")
    await phone.hears(P.TO_SEND)
    phone.presses("1")
    await phone.hears_the_end()


def hung_up(caller: Caller, moment: float) -> tuple[Exchange, Told]:
    site = Exchange()
    return site, site.phone_call(caller, hang_up_after=moment)


@pytest.mark.feature_part("CALL-07", "a hang-up at any moment sends what was recorded")
@pytest.mark.feature_part("CALL-10", "nothing that was said after the tone is lost")
@pytest.mark.parametrize(
    ("caller", "begins", "said"),
    [(sends, 6.0, 6.0), (is_silent_in_the_review, 1.0, 6.0), (records_again, 1.0, 4.0)],
)
def test_at_every_moment_a_message_of_two_seconds_and_more_is_kept(
    caller: Caller, begins: float, said: float
) -> None:
    whole = Exchange().phone_call(caller).seconds
    enough = begins + Limits().shortest
    seen = set()
    for moment in moments(whole + 0.5, begins, enough, begins + said, whole):
        site, told = hung_up(caller, moment)
        expected = int(moment >= enough)
        assert len(site.messages) == expected, f"hung up after {moment} s"
        assert site.deliveries_asked == expected
        assert site.spool.open == {}
        assert site.spool.takes == {}
        if abs(moment - whole) > FINE / 2:
            assert told.channel.left == (("SUCCESS", "") if moment > whole else None)
        seen.add(expected)
    assert seen == {0, 1}


@pytest.mark.feature_part("CALL-07", "exactly so much as was said is kept")
def test_the_message_is_as_long_as_what_was_said_until_then() -> None:
    for moment in moments(12, 8.0):
        site, _ = hung_up(sends, moment)
        said = min(moment - 6.0, 6.0)
        assert site.messages == ([pytest.approx(said)] if said >= 2 else [])


@pytest.mark.feature_part("CALL-07", "the first recording is kept until the second is a message")
def test_while_it_is_recorded_again_the_first_take_is_kept_until_the_second_is_a_message() -> None:
    second_begins = second_tone_ends()
    for moment in moments(second_begins + 5, second_begins, second_begins + 2):
        site, _ = hung_up(records_again, moment)
        if moment < second_begins - 3:
            continue
        again = moment - second_begins
        assert site.messages == [pytest.approx(again if again >= 2 else 4)], moment
        assert [kept.facts.urgent for kept in site.spool.kept] == [True]


def second_tone_ends() -> float:
    """When the second recording of `records_again` begins."""
    begun = []

    async def caller(phone: Phone) -> None:
        phone.presses("0")
        await phone.speaks(4)
        phone.presses("#4")
        await phone.hears(P.MARKED_URGENT, P.TO_REDO)
        phone.presses("3")
        await phone.is_recorded()
        begun.append(phone.now())
        phone.hangs_up()

    Exchange().phone_call(caller)
    return float(begun[0])


@pytest.mark.feature_part("CALL-06", "silence is no message, however it ends")
def test_who_says_nothing_and_hangs_up_leaves_nothing() -> None:
    async def caller(phone: Phone) -> None:
        await phone.hears_the_end()

    for moment in moments(20, 6, 8, 14):
        site, _ = hung_up(caller, moment)
        assert site.messages == []
        assert site.spool.open == {}


@pytest.mark.feature_part("CALL-10", "also on a slow disk")
@pytest.mark.parametrize("delay", [0.03, 1.0])
def test_a_slow_disk_loses_nothing(delay: float) -> None:
    for moment in moments(20):
        site = Exchange()
        site.spool.seconds = delay
        told = site.phone_call(sends, hang_up_after=moment)
        takes = [Take(m.seconds, m.seconds) for m in site.spool.kept]
        assert all(worth_keeping(take, Limits(), Ending.HANG_UP) for take in takes)
        begun = 6.0 + delay
        assert len(takes) == int(moment - begun >= 2), f"{moment} {told.phone.heard_names()}"
        assert site.spool.open == {}


@pytest.mark.feature_part("INBOX-02", "a hang-up never leaves a message half handled")
def test_a_remote_inquiry_may_end_at_any_moment() -> None:
    async def caller(phone: Phone) -> None:
        phone.presses(f"{PIN}#")
        await phone.hears(P.FOR_NEW_VOICE_MESSAGES)
        phone.presses("1")
        await phone.hears(P.TO_REPEAT)
        phone.presses("7")
        await phone.hears(P.MESSAGE_DELETED, P.TO_REPEAT)
        phone.presses("6")
        await phone.hears(P.TO_REPEAT)
        phone.presses("2")
        await phone.hears(P.MESSAGE_KEPT_NEW)
        phone.presses("*")
        await phone.hears(P.TO_END)
        phone.presses("#")
        await phone.hears_the_end()

    for moment in moments(60):
        site = Exchange()
        site.put(message("a", minutes_ago=5), message("b", minutes_ago=6))
        told = site.phone_call(caller, purpose="login", hang_up_after=moment)
        deleted = site.mailboxes.deleted.get(ANNA.id, {})
        assert len(site.mailboxes.of(ANNA)) + len(deleted) == 2
        assert site.lamps.shown in ({}, {"101": site.counts()}), f"hung up after {moment} s"
        assert told.channel.left in (None, ("SUCCESS", ""))
