"""Connecting a caller with somebody else, on the virtual clock; nobody is ever left ringing."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from tests.clock import run_virtually
from tests.fake_channel import FakeChannel
from tests.phone import Phone, Told, on_the_phone
from vm_ari.domain.dialling import Allowed, Kind
from vm_ari.domain.transfer import Outcome, Waiting
from vm_ari.speech.catalogue import P
from vm_ari.speech.language import language
from vm_ari.speech.parts import Digits, Sentence
from vm_ari.telephony.call import Call
from vm_ari.telephony.channel import Cause, Leg

BERT = Leg(Allowed("102", Kind.INTERNAL, "102"), seconds=20)
WHO: Sentence = (P.CALL_FROM, Digits("101"), P.TO_ACCEPT, P.PRESS, Digits("1"))


class CalledPhone(Phone):
    """The telephone of somebody whom we call."""

    def __init__(self, channel: FakeChannel) -> None:
        super().__init__(channel, language("en"))
        self.line = channel

    async def talks_to_somebody(self) -> None:
        """Wait until they are connected."""
        while self.line.talks_with is None:
            await self.line.changed()


Destination = Callable[[CalledPhone], Awaitable[None]]


@dataclass
class Attempt:
    """One call in which the caller is connected, or not."""

    screening: Sentence = ()
    give_up: str = "*"
    leaves_server: bool = False
    outcomes: list[Outcome] = field(default_factory=list)
    channel: FakeChannel = field(default_factory=FakeChannel)

    def tell(
        self,
        destination: Destination,
        caller: Callable[[Phone], Awaitable[None]] | None = None,
        hang_up_after: float | None = None,
    ) -> Told:
        """From both ends; what is left over fails the test."""

        async def script(call: Call) -> None:
            outcome = await call.transfer(
                BERT,
                hears=Waiting.MUSIC,
                give_up=self.give_up,
                screening=self.screening,
                leaves_server=self.leaves_server,
            )
            self.outcomes.append(outcome)
            await call.last_words(P.GOODBYE)

        async def story() -> Told:
            tasks = []

            def ring(line: FakeChannel, leg: Leg) -> None:
                assert leg is BERT
                tasks.append(asyncio.ensure_future(destination(CalledPhone(line))))

            self.channel.on_dial = ring
            told = await on_the_phone(
                script,
                caller or Phone.hears_the_end,  # type: ignore[arg-type]
                channel=self.channel,
                hang_up_after=hang_up_after,
            )
            await asyncio.gather(*tasks)
            return told

        told = run_virtually(story())
        assert all(leg.gone for leg in self.channel.legs)
        assert not self.channel.in_bridge
        return told

    @property
    def outcome(self) -> Outcome:
        [outcome] = self.outcomes
        return outcome


async def answers_and_hangs_up(phone: CalledPhone) -> None:
    await phone.waits(3)
    phone.line.picks_up()
    await phone.talks_to_somebody()
    await phone.waits(10)
    phone.hangs_up()


async def waits_for_the_end(phone: CalledPhone) -> None:
    await phone.hears_the_end()


def test_they_talk_until_the_destination_hangs_up_and_the_caller_is_back() -> None:
    attempt = Attempt()
    told = attempt.tell(answers_and_hangs_up)
    assert attempt.outcome is Outcome.TALKED
    assert told.phone.heard_names() == ["en/goodbye"]
    assert told.seconds == pytest.approx(14)


def test_the_caller_hears_music_until_they_talk() -> None:
    heard = []

    async def caller(phone: Phone) -> None:
        await phone.waits(1)
        heard.append(attempt.channel.waits_with)
        await phone.waits(4)
        heard.append(attempt.channel.waits_with)

    attempt = Attempt()
    attempt.tell(answers_and_hangs_up, caller)
    assert heard == [Waiting.MUSIC, None]


@pytest.mark.parametrize(
    ("cause", "outcome"),
    [
        (Cause.BUSY, Outcome.BUSY),
        (Cause.REFUSED, Outcome.REFUSED),
        (Cause.UNREACHABLE, Outcome.UNREACHABLE),
        (Cause.NO_ANSWER, Outcome.NO_ANSWER),
    ],
)
def test_whoever_is_not_connected_is_back_in_the_script(cause: Cause, outcome: Outcome) -> None:
    async def destination(phone: CalledPhone) -> None:
        await phone.waits(2)
        phone.line.is_not_answered(cause)

    attempt = Attempt()
    told = attempt.tell(destination)
    assert attempt.outcome is outcome
    assert attempt.channel.waits_with is None
    assert told.phone.heard_names() == ["en/goodbye"]


def test_it_rings_only_so_long() -> None:
    attempt = Attempt()
    assert attempt.tell(waits_for_the_end).seconds == pytest.approx(BERT.seconds + 1)
    assert attempt.outcome is Outcome.NO_ANSWER


def test_a_telephone_system_that_forgets_to_stop_ringing_is_not_waited_for() -> None:
    async def destination(phone: CalledPhone) -> None:
        for timer in phone.line._timers:
            timer.cancel()

    attempt = Attempt()
    assert attempt.tell(destination).seconds < BERT.seconds + 5
    assert attempt.outcome is Outcome.NO_ANSWER


def test_a_caller_who_hangs_up_lets_nobody_ring() -> None:
    async def destination(phone: CalledPhone) -> None:
        await phone.hears_the_end()
        assert phone.now() == pytest.approx(4)

    attempt = Attempt()
    attempt.tell(destination, hang_up_after=4)
    assert attempt.outcomes == []


def test_the_key_brings_the_caller_back_and_other_keys_do_nothing() -> None:
    async def caller(phone: Phone) -> None:
        await phone.waits(2)
        phone.presses("12#")
        await phone.waits(2)
        assert attempt.channel.legs[0].gone is False
        phone.presses("*")
        await phone.hears(P.GOODBYE)

    attempt = Attempt()
    attempt.tell(waits_for_the_end, caller)
    assert attempt.outcome is Outcome.GIVEN_UP


def test_without_that_key_he_waits() -> None:
    async def caller(phone: Phone) -> None:
        phone.presses("*")
        await phone.hears_the_end()

    attempt = Attempt(give_up="")
    attempt.tell(waits_for_the_end, caller)
    assert attempt.outcome is Outcome.NO_ANSWER


@pytest.mark.parametrize("verb", ["dial", "join"])
def test_a_fault_on_the_way_is_no_end_of_the_call(verb: str) -> None:
    async def destination(phone: CalledPhone) -> None:
        phone.line.picks_up()
        await phone.hears_the_end()

    attempt = Attempt()
    attempt.channel.refuses = {verb}
    told = attempt.tell(destination)
    assert attempt.outcome is Outcome.UNREACHABLE
    assert told.phone.heard_names() == ["en/goodbye"]


def test_where_no_music_plays_he_waits_in_silence() -> None:
    attempt = Attempt()
    attempt.channel.refuses = {"wait_with", "stop_waiting"}
    attempt.tell(answers_and_hangs_up)
    assert attempt.outcome is Outcome.TALKED


def test_somebody_who_hangs_up_as_he_is_connected_leaves_no_bridge() -> None:
    async def destination(phone: CalledPhone) -> None:
        phone.line.picks_up()
        phone.hangs_up()

    attempt = Attempt()
    attempt.tell(destination)
    assert attempt.outcome in {Outcome.TALKED, Outcome.UNREACHABLE}


def test_the_caller_hangs_up_and_the_destination_is_not_left_alone() -> None:
    async def destination(phone: CalledPhone) -> None:
        phone.line.picks_up()
        await phone.talks_to_somebody()
        await phone.hears_the_end()

    attempt = Attempt()
    attempt.tell(destination, hang_up_after=30)
    assert attempt.outcome is Outcome.TALKED


# --- screening


def screened(destination: Destination, hang_up_after: float | None = None) -> Attempt:
    attempt = Attempt(screening=WHO)
    attempt.tell(destination, hang_up_after=hang_up_after)
    return attempt


def test_the_destination_hears_who_calls_and_accepts() -> None:
    async def destination(phone: CalledPhone) -> None:
        phone.line.picks_up()
        await phone.hears(*WHO)
        assert attempt.channel.waits_with is Waiting.MUSIC
        assert phone.line.talks_with is None
        phone.presses("1")
        await phone.talks_to_somebody()
        phone.hangs_up()

    attempt = Attempt(screening=WHO)
    attempt.tell(destination)
    assert attempt.outcome is Outcome.TALKED


def test_another_key_is_a_refusal() -> None:
    async def destination(phone: CalledPhone) -> None:
        phone.line.picks_up()
        await phone.hears(P.CALL_FROM)
        phone.presses("2")
        await phone.hears_the_end()

    assert screened(destination).outcome is Outcome.REFUSED


def test_so_is_hanging_up() -> None:
    async def destination(phone: CalledPhone) -> None:
        phone.line.picks_up()
        await phone.hears(P.CALL_FROM)
        phone.hangs_up()

    assert screened(destination).outcome is Outcome.REFUSED


def test_so_is_silence_after_the_second_time() -> None:
    async def destination(phone: CalledPhone) -> None:
        phone.line.picks_up()
        await phone.hears(*WHO, *WHO)
        await phone.hears_the_end()

    assert screened(destination).outcome is Outcome.REFUSED


def test_a_caller_who_hangs_up_ends_the_question() -> None:
    async def destination(phone: CalledPhone) -> None:
        phone.line.picks_up()
        await phone.hears(P.CALL_FROM)
        await phone.hears_the_end()
        assert phone.now() == pytest.approx(2.5)

    assert screened(destination, hang_up_after=2.5).outcomes == []


# --- handed over to the telephone system


async def answers_and_is_taken_over(phone: CalledPhone) -> None:
    phone.line.picks_up()
    await phone.hears_the_end()
    assert phone.line.talks_with is None


def test_they_are_handed_over_where_their_telephone_system_agrees() -> None:
    attempt = Attempt(leaves_server=True)
    attempt.channel.carried_together = True
    attempt.tell(answers_and_is_taken_over)
    assert attempt.outcome is Outcome.REFERRED


def test_where_it_refuses_they_talk_here() -> None:
    attempt = Attempt(leaves_server=True)
    attempt.tell(answers_and_hangs_up)
    assert attempt.outcome is Outcome.TALKED


def test_a_fault_of_the_hand_over_changes_nothing() -> None:
    attempt = Attempt(leaves_server=True)
    attempt.channel.refuses = {"hand_over"}
    attempt.tell(answers_and_hangs_up)
    assert attempt.outcome is Outcome.TALKED


def test_a_caller_who_leaves_meanwhile_leaves_nobody_alone() -> None:
    attempt = Attempt(leaves_server=True)
    attempt.tell(answers_and_is_taken_over, hang_up_after=0.1)
    assert attempt.outcomes == []


# --- at any moment


@pytest.mark.parametrize("screening", [(), WHO])
def test_whenever_somebody_hangs_up_nothing_is_left_over(screening: Sentence) -> None:
    """Both sides, in steps of a tenth of a second; `Attempt.tell` looks for what is left."""

    async def accepts(phone: CalledPhone) -> None:
        await phone.waits(2)
        phone.line.picks_up()
        if screening:
            await phone.waits(1.05)
            phone.presses("1")
        await phone.waits(3)
        phone.hangs_up()

    for step in range(80):
        attempt = Attempt(screening=screening)
        attempt.tell(accepts, hang_up_after=step / 10)
        assert attempt.outcomes in ([], [Outcome.TALKED])


def test_a_controller_that_ends_leaves_those_alone_who_talk() -> None:
    async def story() -> None:
        channel = FakeChannel()
        channel.on_dial = lambda line, _leg: line.picks_up()
        script = asyncio.create_task(Call(channel, language("en")).transfer(BERT))
        await asyncio.sleep(5)
        script.cancel()
        await asyncio.wait([script])
        assert channel.talks_with is channel.legs[0]
        assert not channel.gone
        assert not channel.legs[0].gone

    run_virtually(story())
