"""Calls are made of ring events: as a real Asterisk told them, and as it might."""

import random
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.ring_records import BEGIN, RECORDED, recorded
from tests.rung_calls import BERLIN, CALLS, told
from vm_ari.domain.callers import Caller
from vm_ari.domain.phone_numbers import PhoneNumbers
from vm_ari.domain.ring_events import (
    Appeared,
    CallerShown,
    DialBegan,
    DialEnded,
    HungUp,
    Lost,
    Rang,
    RingEvent,
)
from vm_ari.domain.ringing import MOST_RINGS, Follower, RungCall

PHONES = PhoneNumbers(BERLIN)


def calls_of(events: Iterable[RingEvent], follower: Follower | None = None) -> list[RungCall]:
    """Everything that is over."""
    follower = Follower(PHONES) if follower is None else follower
    return [call for event in events if (call := follower.hear(event))]


def after(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


def call_to(*phones: str, key: str = "1", start: float = 0, rings: float = 5) -> list[RingEvent]:
    """Somebody calls; these phones ring one after the other, nobody answers."""
    now = BEGIN + after(start)
    events: list[RingEvent] = [
        Appeared(now, key, key, "PJSIP/trunk-1", "030123456", "Carla", phones[0]),
        CallerShown(now, key, True),
    ]
    for place, phone in enumerate(phones):
        channel, name = f"{key}.{place}", f"PJSIP/{phone}-1"
        later = now + after(rings * (place + 1))
        events += [
            Appeared(now, channel, key, name),
            DialBegan(now, key, key, channel, name),
            Rang(now, channel),
            DialEnded(later, key, channel, name),
            HungUp(later, channel),
        ]
        now = later
    return [*events, HungUp(now, key)]


@pytest.mark.feature_part("MISSED-01", "calls are followed through groups, hunting, pick-up …")
@pytest.mark.parametrize("story", CALLS)
def test_a_call_as_asterisk_told_it(story: str) -> None:
    follower = Follower(PHONES)
    assert told(calls_of(recorded(story), follower)) == list(CALLS[story])
    assert len(follower) == follower.forgotten == 0


def test_every_recorded_story_is_expected() -> None:
    assert {file.stem for file in RECORDED.iterdir()} == set(CALLS)


def test_how_long_phones_rang_and_when_somebody_answered() -> None:
    [call] = calls_of(recorded("hunting"))
    first, second = call.rings
    assert after(0.9) < first.length < after(1.2)
    assert first.ended <= second.began
    assert call.began <= first.began
    assert call.answered_at == second.ended
    assert call.answered_at is not None
    assert call.answered_at <= call.ended


def test_times_do_not_depend_on_the_order_of_ringing_and_dialling() -> None:
    """Asterisk may tell that a phone rings before it tells who calls it."""
    appeared, shown, began, dial, rang, *rest = call_to("101")
    early = replace(rang, at=BEGIN + after(1)) if isinstance(rang, Rang) else rang
    late = replace(dial, at=BEGIN + after(1.1)) if isinstance(dial, DialBegan) else dial
    [call] = calls_of([appeared, shown, began, early, late, *rest])
    assert [ring.length for ring in call.rings] == [after(4)]


def test_a_number_that_nobody_said_may_be_shown_is_withheld() -> None:
    events = [event for event in call_to("101") if not isinstance(event, CallerShown)]
    [call] = calls_of(events)
    assert call.caller == Caller()


def test_a_hostile_number_is_none() -> None:
    first, *rest = call_to("101")
    assert isinstance(first, Appeared)
    hostile = replace(first, number="1\r\nX: 2", name="\u202eevil\x00\n" * 50)
    [call] = calls_of([hostile, *rest])
    assert call.caller.number == ""
    assert call.caller.name.isprintable()
    assert len(call.caller.name) <= 60


@pytest.mark.parametrize("seen", range(1, 7))
def test_a_call_of_which_the_beginning_was_not_seen_is_left_out(seen: int) -> None:
    follower = Follower(PHONES)
    assert calls_of(call_to("101")[seen:], follower) == []
    assert calls_of(call_to("101", key="2"), follower)
    assert len(follower) == 0


def test_a_gap_ends_what_was_followed() -> None:
    follower = Follower(PHONES)
    events = call_to("101")
    assert calls_of([*events[:5], Lost(BEGIN), *events[5:]], follower) == []
    assert follower.forgotten == 1
    assert calls_of(call_to("101", key="2"), follower)


def test_calls_whose_end_is_never_seen_are_forgotten() -> None:
    follower = Follower(PHONES, longest=timedelta(hours=1), most=50)
    for number in range(200):
        calls_of(call_to("101", key=f"a{number}")[:-1], follower)
        assert len(follower) <= 50
    assert follower.forgotten == 150
    calls_of(call_to("101", key="late", start=3601)[:-1], follower)
    assert len(follower) == 1


def test_somebody_who_waits_for_hours_costs_little() -> None:
    phones = ("101", *["102"] * (2 * MOST_RINGS), "103")
    [call] = calls_of(call_to(*phones))
    assert len(call.rings) == MOST_RINGS
    assert [call.rings[0].number, call.rings[-1].number] == ["+49305550101", "+49305550103"]


def test_ids_that_come_twice_break_nothing() -> None:
    follower = Follower(PHONES)
    both = [pair for pairs in zip(call_to("101"), call_to("101"), strict=True) for pair in pairs]
    assert len(calls_of([*both, *call_to("101", key="2")], follower)) >= 1
    assert len(follower) == 0


def test_a_call_begun_by_the_telephone_system_is_nobodys() -> None:
    """As a click on a number does it: the user's own phone rings, and then the other one."""
    events: list[RingEvent] = [
        Appeared(BEGIN, "1", "1", "PJSIP/101-1"),
        DialBegan(BEGIN, "1", "", "1", "PJSIP/101-1"),
        Rang(BEGIN, "1"),
        DialEnded(BEGIN, "", "1", "PJSIP/101-1", answered=True),
        HungUp(BEGIN, "1"),
    ]
    follower = Follower(PHONES)
    assert calls_of(events, follower) == []
    assert len(follower) == 0


def test_a_phone_of_unknown_number_has_answered_all_the_same() -> None:
    events = call_to("101", "anna-desk")
    answered = [
        replace(event, answered=True)
        if isinstance(event, DialEnded) and "anna" in event.phone
        else event
        for event in events
    ]
    [call] = calls_of(answered)
    assert [ring.number for ring in call.rings] == ["+49305550101"]
    assert call.answered_by == "PJSIP/anna-desk"


def _as_of(story: str) -> list[RingEvent]:
    """The recorded events with ids that no other story has."""
    events = []
    for event in recorded(story):
        ids = {name: getattr(event, name, "") for name in ("channel", "call", "by", "to")}
        renamed: dict[str, Any] = {name: f"{story}-{key}" for name, key in ids.items() if key}
        events.append(replace(event, **renamed))
    return events


@pytest.mark.parametrize("seed", range(5))
def test_calls_at_the_same_time_do_not_mix(seed: int) -> None:
    chance = random.Random(seed)
    waiting = {story: _as_of(story) for story in CALLS}
    events: list[RingEvent] = []
    while waiting:
        story = chance.choice(list(waiting))
        events.append(waiting[story].pop(0))
        if not waiting[story]:
            del waiting[story]
    over = calls_of(events)
    for story, expected in CALLS.items():
        assert told(call for call in over if call.id.startswith(f"{story}-")) == list(expected)


@pytest.mark.parametrize("seed", range(20))
def test_events_that_are_missing_break_nothing(seed: int) -> None:
    chance = random.Random(seed)
    follower = Follower(PHONES)
    for story in CALLS:
        events = [event for event in _as_of(story) if chance.random() > 0.3]
        chance.shuffle(events)
        for call in calls_of(events, follower):
            assert call.id.startswith(story)
    follower.hear(Lost(BEGIN))
    assert len(follower) == 0
    assert calls_of(call_to("101"), follower)
