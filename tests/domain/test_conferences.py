"""Conferences as values: who may come in, who is heard, what everybody is told (UM-04)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vm_ari.domain.conference_settings import Alone, Begin
from vm_ari.domain.conferences import (
    Admission,
    Conference,
    Deadline,
    Party,
    Role,
    RoomRules,
    admission,
    deadline,
    entered,
    happenings,
    stage,
    with_aside,
    with_hushed,
    with_locked,
    with_muted,
    with_recording,
    without,
)

NOW = datetime(2026, 3, 4, 13, 35, tzinfo=UTC)
EMPTY = Conference("c", "+4930555103", "anna", NOW)


def party(channel: str, role: Role = Role.PARTICIPANT) -> Party:
    return Party(channel, 0, role, NOW)


def with_all(conference: Conference, *channels: str) -> Conference:
    for channel in channels:
        role = Role.MODERATOR if channel.startswith("m") else Role.PARTICIPANT
        conference = entered(conference, party(channel, role))
    return conference


def kinds(before: Conference, after: Conference) -> list[str]:
    return [one.kind.value for one in happenings(before, after)]


def test_a_lock_is_for_participants_and_a_full_room_for_all() -> None:
    two = with_all(replace(EMPTY, rules=RoomRules(most_parties=3)), "m", "a")
    assert admission(two, Role.PARTICIPANT) is Admission.WELCOME
    locked = with_locked(two, True)
    assert admission(locked, Role.PARTICIPANT) is Admission.LOCKED
    assert admission(locked, Role.MODERATOR) is Admission.WELCOME
    full = with_all(locked, "m2")
    assert {admission(full, role) for role in Role} == {Admission.FULL}


def test_numbers_are_never_given_twice() -> None:
    left = without(with_all(EMPTY, "a", "b"), "a")
    assert [one.number for one in with_all(left, "c").parties] == [2, 3]


def test_who_waits_is_unheard_with_music_until_a_moderator_comes() -> None:
    waiting = with_all(replace(EMPTY, rules=RoomRules(begin=Begin.WITH_MODERATOR)), "a", "b")
    assert (set(stage(waiting).unheard), stage(waiting).music) == ({"a", "b"}, True)
    assert kinds(with_all(waiting), waiting) == []
    begun = with_all(waiting, "m")
    assert (set(stage(begun).unheard), stage(begun).music) == (set(), False)
    assert kinds(waiting, begun) == ["begins"]
    assert not stage(without(begun, "m")).unheard, "what has begun goes on"


def test_who_is_alone_hears_music_or_a_sentence() -> None:
    one, two = with_all(EMPTY, "a"), with_all(EMPTY, "a", "b")
    assert stage(one).music
    assert not stage(two).music
    assert not stage(with_aside(two, "b", True)).music, "somebody in the menu is back at once"
    assert kinds(two, without(two, "b")) == ["left"]
    quiet = replace(two, rules=RoomRules(alone=Alone.SENTENCE))
    assert not stage(without(quiet, "b")).music
    assert kinds(quiet, without(quiet, "b")) == ["left", "alone"]


def test_a_hush_is_for_participants_also_for_those_who_come_later() -> None:
    hushed = with_hushed(with_all(EMPTY, "m", "a"), True)
    later = with_all(hushed, "b", "m2")
    assert stage(later).unheard == {"a", "b"}
    assert not stage(with_hushed(later, False)).unheard
    own = with_muted(later, "m", True)
    assert stage(own).unheard == {"a", "b", "m"}


def test_a_menu_takes_out_and_brings_back() -> None:
    both = with_all(EMPTY, "a", "b")
    assert stage(with_aside(both, "a", True)).inside == {"b"}
    assert stage(with_aside(with_aside(both, "a", True), "a", False)) == stage(both)
    assert kinds(both, with_aside(both, "a", True)) == []


def test_a_recording_is_told_where_the_owner_wants_that() -> None:
    both = with_all(EMPTY, "a", "b")
    assert kinds(both, with_recording(both, "x")) == ["recorded"]
    assert kinds(with_recording(both, "x"), both) == ["not-recorded"]
    secret = replace(both, rules=RoomRules(recording_announced=False))
    assert kinds(secret, with_recording(secret, "x")) == []


def test_the_last_one_hears_nothing_of_himself() -> None:
    one = with_all(EMPTY, "a")
    assert kinds(EMPTY, one) == []
    assert kinds(one, without(one, "a")) == []


@pytest.mark.parametrize(
    ("minutes", "warned", "wanted"),
    [
        (3, False, Deadline.NOTHING),
        (4, False, Deadline.WARN),
        (4, True, Deadline.NOTHING),
        (5, True, Deadline.END),
    ],
)
def test_the_time_ends_it(minutes: int, warned: bool, wanted: Deadline) -> None:
    conference = replace(EMPTY, rules=RoomRules(longest_minutes=5), warned=warned)
    assert deadline(conference, NOW + timedelta(minutes=minutes)) is wanted


CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["in", "out", "mute", "unmute", "aside", "back", "hush", "unhush"]),
        st.sampled_from(["a", "b", "m", "n"]),
    ),
    max_size=30,
)


@given(st.sampled_from(Begin), CHANGES)
def test_whatever_happens_nobody_is_heard_who_must_not_be(
    begin: Begin, changes: list[tuple[str, str]]
) -> None:
    conference = replace(EMPTY, rules=RoomRules(begin=begin))
    for what, who in changes:
        match what:
            case "in" if conference.party(who) is None:
                conference = with_all(conference, who)
            case "out":
                conference = without(conference, who)
            case "mute" | "unmute":
                conference = with_muted(conference, who, what == "mute")
            case "aside" | "back":
                conference = with_aside(conference, who, what == "aside")
            case "hush" | "unhush":
                conference = with_hushed(conference, what == "hush")
        now = stage(conference)
        there = {one.channel: one for one in conference.parties}
        assert now.inside == {c for c, one in there.items() if not one.aside}
        assert now.unheard <= now.inside
        for channel in now.inside - now.unheard:
            assert conference.begun
            assert not there[channel].muted
        assert not now.music or len(there) == 1 or not conference.begun
