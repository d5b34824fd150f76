"""Notices of new messages: one for each that comes, from the user's number on, and no second."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vm_ari.domain.messages import Counts
from vm_ari.domain.notifications import (
    Channel,
    State,
    Tally,
    Topic,
    Wishes,
    first_look,
    judge,
    lamp,
)

BY_MAIL = {Topic.VOICE: Wishes((Channel.LAMP, Channel.MAIL))}


def by_mail(threshold: int) -> dict[Topic, Wishes]:
    return {Topic.VOICE: Wishes((Channel.LAMP, Channel.MAIL), threshold)}


@dataclass
class Box:
    """A mailbox, and what its owner is told of it."""

    threshold: int = 1
    new: int = 0
    state: State | None = None
    told: list[int] = field(default_factory=list)
    """New messages in each notice."""
    unheard_of: int = 0
    """Messages whose delivery no count was told of yet."""

    def arrive(self) -> None:
        self.new += 1
        self.unheard_of += 1

    def read(self) -> None:
        self.new = max(0, self.new - 1)

    def count(self, *, delivered: int = 0) -> bool:
        """Is somebody told?"""
        heard = {Topic.VOICE: delivered} if delivered else {}
        outcome = judge(self.state, Counts(new_voice=self.new), by_mail(self.threshold), heard)
        self.state = dict(outcome.state)  # as after a restart: all there is lies in it
        for topics in outcome.due.values():
            self.told.append(topics[Topic.VOICE])
        return bool(outcome.due)

    def count_after_deliveries(self) -> bool:
        delivered, self.unheard_of = self.unheard_of, 0
        return self.count(delivered=delivered)

    def reset(self) -> None:
        assert self.state
        self.state = {topic: tally.reset() for topic, tally in self.state.items()}


ACTIONS = st.sampled_from(["arrive", "read", "count", "deliveries"])


def act(box: Box, action: str) -> None:
    match action:
        case "arrive":
            box.arrive()
        case "read":
            box.read()
        case "count":
            box.count()
        case "deliveries":
            box.count_after_deliveries()


@given(st.lists(ACTIONS, max_size=60))
def test_never_two_notices_for_one_message(actions: Sequence[str]) -> None:
    box = Box()
    box.count()
    for action in actions:
        act(box, action)
        box.count()
    assert len(box.told) <= actions.count("arrive")


@given(st.lists(ACTIONS, max_size=60), st.integers(1, 5))
def test_what_comes_is_told_at_the_next_count(actions: Sequence[str], threshold: int) -> None:
    """Counted after each step, as watched mailboxes are: nothing is told but what came."""
    box = Box(threshold)
    box.count()
    for action in actions:
        act(box, action)
        came = action == "arrive"
        assert box.count() is (came and box.new >= threshold)


@given(st.integers(0, 9), st.integers(1, 9))
def test_the_nth_message_is_told_whatever_was_read_beside_it(before: int, come: int) -> None:
    """Polled seldom: as many are read as come, and the sum stays the same."""
    box = Box(new=before + come)
    box.count()
    for _ in range(come):
        box.arrive()
        box.read()
    assert box.count_after_deliveries()
    assert not box.count()


def test_a_delivery_that_a_count_has_shown_already_is_not_told_again() -> None:
    box = Box()
    box.count()
    box.arrive()
    assert box.count()
    assert not box.count_after_deliveries()
    assert not box.count()
    box.arrive()
    assert box.count_after_deliveries()
    assert box.told == [1, 2]


def test_a_first_look_tells_nothing_of_what_lies_there() -> None:
    box = Box(new=7)
    assert not box.count()
    assert not box.count()
    box.arrive()
    assert box.count()
    assert box.told == [8]


def test_a_delivery_is_told_even_where_nothing_is_remembered() -> None:
    box = Box(new=7)
    box.arrive()
    assert box.count_after_deliveries()
    assert not box.count()


@given(st.integers(0, 20), st.integers(1, 20), st.integers(1, 8))
def test_after_a_reset_the_number_counts_from_zero(old: int, come: int, threshold: int) -> None:
    box = Box(threshold, new=old)
    box.count()
    box.reset()
    assert not box.count()
    for number in range(1, come + 1):
        box.arrive()
        assert box.count() is (number >= threshold)


def test_reading_lowers_the_counter_without_a_word() -> None:
    box = Box(threshold=3)
    box.count()
    for _ in range(2):
        box.arrive()
        assert not box.count()
    box.read()
    assert not box.count()
    box.arrive()
    assert not box.count()
    box.arrive()
    assert box.count()


@pytest.mark.feature_part("NOTIFY-03", "a number for each type, and its channels")
def test_each_topic_has_its_own_number_and_channels() -> None:
    wishes = {
        Topic.VOICE: Wishes((Channel.LAMP, Channel.SMS), 2),
        Topic.FAX: Wishes((Channel.MAIL,), 1),
        Topic.TEXT: Wishes((Channel.MAIL, Channel.WEBHOOK), 2),
    }
    state = first_look(Counts())
    first = judge(state, Counts(new_voice=1, new_fax=1, new_text=1), wishes)
    assert first.due == {Channel.MAIL: {Topic.FAX: 1}}
    second = judge(first.state, Counts(new_voice=2, new_fax=1, new_text=2), wishes)
    assert second.due == {
        Channel.SMS: {Topic.VOICE: 2},
        Channel.MAIL: {Topic.TEXT: 2},
        Channel.WEBHOOK: {Topic.TEXT: 2},
    }


def test_who_wants_nothing_is_told_nothing() -> None:
    assert judge(first_look(Counts()), Counts(new_voice=3), {}).due == {}


@given(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9), st.integers(1, 5))
def test_the_lamp_shows_voice_messages_from_the_users_number_on(
    new: int, heard: int, fax: int, threshold: int
) -> None:
    counts = Counts(new_voice=new, heard_voice=heard, new_other=fax, new_fax=fax)
    for state in (None, first_look(counts)):
        assert lamp(state, counts, by_mail(threshold)) == (new if new >= threshold else 0, heard)
        assert lamp(state, counts, {Topic.VOICE: Wishes((Channel.MAIL,))}) == (0, heard)
    both = {**by_mail(1), Topic.FAX: Wishes((Channel.LAMP,), threshold)}
    assert lamp(None, counts, both) == (new + (fax if fax >= threshold else 0), heard)


@pytest.mark.feature_part("NOTIFY-06", "a lamp that is switched off is dark until something comes")
def test_a_lamp_that_is_switched_off_is_dark_until_something_comes() -> None:
    state: State = {Topic.VOICE: Tally(seen=2).switched_off()}
    counts = Counts(new_voice=2, heard_voice=1)
    assert lamp(state, counts, BY_MAIL) == (0, 1)
    state = judge(state, Counts(new_voice=1), BY_MAIL).state
    assert lamp(state, Counts(new_voice=1), BY_MAIL) == (0, 0)
    state = judge(state, Counts(new_voice=2), BY_MAIL).state
    assert lamp(state, Counts(new_voice=2), BY_MAIL) == (2, 0)


def test_a_reset_darkens_the_lamp_until_the_number_is_reached_again() -> None:
    box = Box(new=2)
    box.count()
    box.reset()
    assert lamp(box.state, Counts(new_voice=2), BY_MAIL) == (0, 0)
    box.arrive()
    box.count()
    assert lamp(box.state, Counts(new_voice=3), BY_MAIL) == (3, 0)
