"""A user records a greeting: record, listen, again, keep; told from both ends of the line."""

from pathlib import Path

import pytest

from tests.clock import run_virtually
from tests.dialogues.exchange import Exchange
from tests.phone import Caller, Phone, Told, on_the_phone
from vm_ari.dialogues.record_greeting import serve_recording_call
from vm_ari.domain.greetings import SITE, Greeting, GreetingKey, Slot, Source
from vm_ari.speech.catalogue import P
from vm_ari.speech.parts import Recorded

WORK = GreetingKey("anna", Slot.WORK, "en")
NAME = GreetingKey("anna", Slot.NAME, "en")
OLD = Path("/old/recording.wav")


def recording_call(site: Exchange, caller: Caller, key: GreetingKey = WORK) -> Told:
    """The system calls, and leads through the recording."""
    return run_virtually(
        on_the_phone(
            lambda call: serve_recording_call(call, site.desk, key),
            caller,
            "en",
            channel=site.line(),
        )
    )


def kept(site: Exchange, key: GreetingKey = WORK) -> Greeting | None:
    return site.greetings.owners.get(key.owner, {}).get(key)


@pytest.fixture
def site() -> Exchange:
    """Anna has a greeting already."""
    one = Exchange()
    run_virtually(one.greetings.keep(WORK, OLD, Source.UPLOAD))
    return one


async def records(phone: Phone, seconds: float = 4.0) -> None:
    await phone.speaks(seconds)
    phone.presses("#")


@pytest.mark.feature_part("GREET-05", "record, listen, keep")
def test_record_listen_and_keep(site: Exchange) -> None:
    old = kept(site)

    async def caller(phone: Phone) -> None:
        await phone.hears(P.RECORDING_CALL, P.PROFILE_WORK, P.RECORD_GREETING_AFTER_TONE, P.BEEP)
        await records(phone)
        await phone.hears(P.TO_KEEP)
        phone.presses("2")
        take = site.greeting_takes.given[0]
        await phone.hears(Recorded(str(take.path)), P.TO_KEEP, P.TO_HEAR_GREETING, P.TO_REDO)
        assert kept(site) == old
        phone.presses("1")
        await phone.hears(P.GREETING_KEPT, P.GOODBYE)
        await phone.hears_the_end()

    recording_call(site, caller)
    new = kept(site)
    assert new is not None
    assert new != old
    assert new.source is Source.PHONE
    assert site.greeting_takes.recorded == {}


@pytest.mark.feature_part("GREET-05", "re-record")
def test_again_and_again_until_it_is_right(site: Exchange) -> None:
    old = kept(site)

    async def caller(phone: Phone) -> None:
        for _ in range(4):
            await phone.hears(P.RECORD_GREETING_AFTER_TONE, P.BEEP)
            await records(phone)
            await phone.hears(P.TO_KEEP)
            assert kept(site) == old
            phone.presses("3")
        await phone.hears(P.BEEP)
        await records(phone)
        phone.presses("1")
        await phone.hears(P.GREETING_KEPT)
        await phone.hears_the_end()

    told = recording_call(site, caller)
    assert told.phone.heard_names().count("en/greeting-kept") == 1
    assert kept(site) != old


@pytest.mark.parametrize("key", [NAME, GreetingKey(SITE, Slot.GLOBAL, "en")])
def test_a_name_and_the_global_greeting_are_recorded_in_the_same_way(
    site: Exchange, key: GreetingKey
) -> None:
    async def caller(phone: Phone) -> None:
        if key.slot is Slot.NAME:
            await phone.hears(P.YOUR_NAME, P.RECORD_NAME_AFTER_TONE)
        else:
            await phone.hears(P.GLOBAL_GREETING, P.RECORD_GREETING_AFTER_TONE)
        await records(phone, 1.0)
        phone.presses("1")
        await phone.hears(P.GREETING_KEPT)
        await phone.hears_the_end()

    recording_call(site, caller, key)
    assert kept(site, key) is not None


@pytest.mark.feature_part("GREET-05", "a hang-up keeps nothing, and the old one stays")
@pytest.mark.parametrize(
    "moment", ["announcement", "tone", "speaking", "menu", "listening", "again", "key"]
)
def test_a_hang_up_before_it_is_kept_leaves_the_old_one(site: Exchange, moment: str) -> None:
    old = kept(site)

    async def caller(phone: Phone) -> None:
        await phone.hears(P.RECORD_GREETING_AFTER_TONE)
        if moment != "announcement":
            await phone.hears(P.BEEP)
        if moment == "speaking":
            await phone.speaks(3)
        elif moment not in {"announcement", "tone"}:
            await records(phone)
            await phone.hears(P.TO_KEEP)
        match moment:
            case "listening":
                phone.presses("2")
                await phone.hears(Recorded(str(site.greeting_takes.given[0].path)))
            case "again":
                phone.presses("3")
                await phone.speaks(2)
            case "key":
                phone.presses("9")
        phone.hangs_up()

    recording_call(site, caller)
    assert kept(site) == old
    assert site.greeting_takes.recorded == {}


def test_going_back_discards_it(site: Exchange) -> None:
    old = kept(site)

    async def caller(phone: Phone) -> None:
        await records(phone)
        await phone.hears(P.TO_GO_BACK)
        phone.presses("*")
        await phone.hears(P.GREETING_DISCARDED, P.GOODBYE)
        await phone.hears_the_end()

    recording_call(site, caller)
    assert kept(site) == old
    assert site.greeting_takes.recorded == {}


@pytest.mark.parametrize("seconds", [0.0, 0.3])
def test_nothing_said_is_told_and_tried_three_times(site: Exchange, seconds: float) -> None:
    old = kept(site)

    async def caller(phone: Phone) -> None:
        for _ in range(3):
            await phone.hears(P.RECORD_GREETING_AFTER_TONE, P.BEEP)
            await records(phone, seconds)
            await phone.hears(P.TOO_SHORT)
        await phone.hears(P.GOODBYE)
        await phone.hears_the_end()

    recording_call(site, caller)
    assert kept(site) == old
    assert site.greeting_takes.recorded == {}


def test_somebody_who_puts_the_receiver_beside_the_phone_keeps_nothing(site: Exchange) -> None:
    old = kept(site)

    async def caller(phone: Phone) -> None:
        await records(phone)
        await phone.hears(P.GOODBYE)
        await phone.hears_the_end()

    recording_call(site, caller)
    assert kept(site) == old


def test_a_recording_that_cannot_be_used_is_told_and_can_be_made_again(site: Exchange) -> None:
    async def caller(phone: Phone) -> None:
        await records(phone)
        await phone.hears(P.TO_KEEP)
        site.greetings.unusable = {site.greeting_takes.given[0].file}
        phone.presses("1")
        await phone.hears(P.TOO_SHORT, P.RECORD_GREETING_AFTER_TONE)
        site.greetings.unusable = set()
        await records(phone)
        phone.presses("1")
        await phone.hears(P.GREETING_KEPT)
        await phone.hears_the_end()

    recording_call(site, caller)


@pytest.mark.parametrize("where", ["store", "takes"])
def test_a_store_that_is_away_is_said_and_the_old_one_stays(site: Exchange, where: str) -> None:
    old = kept(site)

    async def caller(phone: Phone) -> None:
        await phone.speaks(3)
        site.greetings.unavailable = where == "store"
        site.greeting_takes.unavailable = where == "takes"
        phone.presses("#")
        if where == "store":
            await phone.hears(P.TO_KEEP)
            phone.presses("1")
        await phone.hears(P.TECHNICAL_PROBLEM)
        await phone.hears_the_end()

    recording_call(site, caller)
    assert kept(site) == old


def test_a_full_disk_is_no_greeting(site: Exchange) -> None:
    old = kept(site)
    line = site.line()
    line.disk_full = True

    async def caller(phone: Phone) -> None:
        await phone.hears(P.RECORD_GREETING_AFTER_TONE)
        await records(phone)
        await phone.hears_the_end()

    async def call() -> Told:
        return await on_the_phone(
            lambda call: serve_recording_call(call, site.desk, WORK), caller, "en", channel=line
        )

    run_virtually(call())
    assert kept(site) == old


def test_a_hash_key_during_the_announcement_skips_it_and_does_not_end_the_recording(
    site: Exchange,
) -> None:
    async def caller(phone: Phone) -> None:
        await phone.hears(P.RECORD_GREETING_AFTER_TONE)
        phone.presses("#")
        await records(phone, 3)
        phone.presses("1")
        await phone.hears(P.GREETING_KEPT)
        await phone.hears_the_end()

    told = recording_call(site, caller)
    assert "en/too-short" not in told.phone.heard_names()


def test_an_end_without_a_key_is_a_recording_too(site: Exchange) -> None:
    """Silence ends it."""

    async def caller(phone: Phone) -> None:
        await phone.speaks(3)
        await phone.hears(P.TO_KEEP)
        phone.presses("1")
        await phone.hears(P.GREETING_KEPT)
        await phone.hears_the_end()

    old = kept(site)
    recording_call(site, caller)
    assert kept(site) != old
