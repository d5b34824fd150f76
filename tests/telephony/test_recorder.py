"""The seconds in which the caller talks, on the virtual clock."""

import pytest

from tests.clock import run_virtually
from tests.fake_channel import FakeChannel
from tests.phone import Phone, on_the_phone, phone_call
from vm_ari.domain.recording import Ending, Limits
from vm_ari.speech.catalogue import P
from vm_ari.speech.parts import Clip
from vm_ari.telephony.call import Call

LIMITS = Limits(longest=60, silence=8)


@pytest.mark.parametrize(
    ("ends", "ending"),
    [("key", Ending.KEY), ("hang-up", Ending.HANG_UP), ("silence", Ending.SILENCE)],
)
def test_record_returns_however_it_ends(ends: str, ending: Ending) -> None:
    endings = []

    async def script(call: Call) -> None:
        endings.append(await call.record("r", LIMITS))

    async def caller(phone: Phone) -> None:
        await phone.speaks(5)
        match ends:
            case "key":
                phone.presses("#")
            case "hang-up":
                phone.hangs_up()
            case _:
                await phone.waits(20)

    told = phone_call(script, caller)
    assert endings == [ending]
    assert told.channel.takes["r"].speech_seconds == pytest.approx(5)


def test_the_end_key_is_swallowed_and_later_keys_are_kept() -> None:
    answers = []

    async def script(call: Call) -> None:
        await call.record("r", LIMITS)
        answers.append(await call.ask((P.ENTER_PIN,), {"1": 1, "#": "hash"}))

    async def caller(phone: Phone) -> None:
        await phone.speaks(3)
        phone.presses("5#1")

    told = phone_call(script, caller)
    assert answers == [1]
    assert told.phone.heard_names() == []


def test_a_beep_warns_before_the_longest_recording_ends() -> None:
    endings = []

    async def script(call: Call) -> None:
        endings.append(await call.record("r", LIMITS))

    async def caller(phone: Phone) -> None:
        await phone.speaks(49)
        assert phone.whispered_names() == []
        await phone.speaks(2)
        assert phone.whispered_names() == ["tones/warning-beep"]
        await phone.speaks(20)

    phone_call(script, caller)
    assert endings == [Ending.LIMIT]


@pytest.mark.parametrize(
    "limits", [Limits(longest=60, stream=False), Limits(longest=60, warning=0)]
)
def test_nobody_is_warned_without_a_stream_or_a_time_for_it(limits: Limits) -> None:
    endings, channel = [], NeverWhispers()

    async def script(call: Call) -> None:
        endings.append(await call.record("r", limits))

    async def caller(phone: Phone) -> None:
        await phone.speaks(80)

    run_virtually(on_the_phone(script, caller, channel=channel))
    assert endings == [Ending.LIMIT]
    assert channel.takes["r"].seconds == 60
    assert not channel.asked


def test_our_own_timer_ends_a_recording_that_asterisk_forgets() -> None:
    endings = []

    async def script(call: Call) -> None:
        endings.append(await call.record("r", LIMITS))

    async def caller(phone: Phone) -> None:
        phone.sends_no_audio()
        await phone.is_recorded()

    told = phone_call(script, caller)
    assert endings == [Ending.SILENCE]
    assert told.seconds < 15


def test_a_recording_whose_end_nobody_reports_is_over_in_the_end() -> None:
    channel, endings = FakeChannel(), []
    channel.reports_ends = False

    async def script(call: Call) -> None:
        endings.append(await call.record("r", LIMITS))

    async def caller(phone: Phone) -> None:
        await phone.speaks(80)

    told = run_virtually(on_the_phone(script, caller, channel=channel))
    assert endings == [Ending.LIMIT]
    assert told.seconds == 80


def test_a_recording_that_we_stop_is_closed_before_we_look_at_it() -> None:
    """The file must be whole when `record` returns."""
    channel = SlowToClose()
    closed = []

    async def script(call: Call) -> None:
        assert await call.record("r", LIMITS) is Ending.SILENCE
        closed.append("r" in channel.takes)

    async def caller(phone: Phone) -> None:
        channel.takes.clear()

    run_virtually(on_the_phone(script, caller, channel=channel))
    assert closed == [True]


class NeverWhispers(FakeChannel):
    """Notes that it was asked to."""

    asked = False

    async def whisper(self, clip: Clip) -> None:
        """Nobody hears it."""
        self.asked = True


class SlowToClose(FakeChannel):
    """Does not notice silence; closes a file half a second after it was told to."""

    def _watch_silence(self) -> None:
        """Deaf."""

    async def stop_recording(self, name: str) -> None:
        """Later."""
        self._later(0.5, self._stop_recording)


@pytest.mark.parametrize("pause", [0.0, 0.05, 0.2])
def test_the_tone_comes_first_and_its_keys_are_nothing(pause: float) -> None:
    answers = []

    async def script(call: Call) -> None:
        assert await call.record("r", LIMITS, tone=P.BEEP) is Ending.KEY
        answers.append(await call.ask((P.ENTER_PIN,), {"1": 1, "2": 2, "#": "hash"}))

    async def caller(phone: Phone) -> None:
        await phone.hears(P.BEEP)
        for key in "1#1#2":
            phone.presses(key)
            await phone.waits(pause)
        await phone.speaks(5)
        phone.presses("#")
        await phone.hears(P.ENTER_PIN)
        phone.presses("2")

    told = phone_call(script, caller)
    assert answers == [2]
    assert told.channel.takes["r"].speech_seconds == 5
