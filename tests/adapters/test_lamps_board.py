"""The board of lamps: the newest counts win, nothing is overtaken, nothing is forgotten."""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from vm_ari.adapters.lamps.board import Board
from vm_ari.adapters.lamps.method import LampCounts

BOXES = st.sampled_from(["101", "102", "103"])
COUNTS = st.builds(LampCounts, st.integers(0, 2), st.integers(0, 1))
DARK = LampCounts(0, 0)


class Tellers(RuleBasedStateMachine):
    """Any number of tellers at work beside changes, failures and restarts of Asterisk."""

    def __init__(self) -> None:
        super().__init__()
        self.board = Board()
        self.wanted: dict[str, LampCounts] = {}
        self.phones: dict[str, LampCounts] = {}
        self.under_way: dict[str, LampCounts] = {}

    @rule(mailbox=BOXES, counts=COUNTS)
    def change(self, mailbox: str, counts: LampCounts) -> None:
        self.board.want(mailbox, counts)
        self.wanted[mailbox] = counts

    @rule()
    def take(self) -> None:
        if taken := self.board.take():
            mailbox, counts = taken
            assert mailbox not in self.under_way  # or two could overtake each other
            assert counts == self.wanted[mailbox]
            self.under_way[mailbox] = counts

    @precondition(lambda self: self.under_way)
    @rule(data=st.data(), arrives=st.booleans())
    def finish(self, data: st.DataObject, arrives: bool) -> None:
        mailbox = data.draw(st.sampled_from(sorted(self.under_way)))
        counts = self.under_way.pop(mailbox)
        if arrives:
            self.phones[mailbox] = counts
            self.board.told(mailbox)
        else:
            self.board.not_told(mailbox)

    @precondition(lambda self: self.phones)
    @rule(data=st.data())
    def tell_once_more(self, data: st.DataObject) -> None:
        mailbox = data.draw(st.sampled_from(sorted(self.phones)))
        self.board.want_again(mailbox, self.phones[mailbox])

    @rule()
    def asterisk_forgets(self) -> None:
        self.phones.clear()
        self.board.want_all_again()

    @invariant()
    def a_wrong_lamp_is_due_or_under_way(self) -> None:
        told = {m: c for m, c in self.wanted.items() if m not in self.under_way}
        wrong = sum(self.phones.get(m, DARK) != counts for m, counts in told.items())
        assert self.board.due >= wrong

    def teardown(self) -> None:
        """In the end everything is told, and only lamps that are on are remembered."""
        for mailbox in self.under_way:
            self.board.told(mailbox)
        self.phones |= self.under_way
        while taken := self.board.take():
            self.phones[taken[0]] = taken[1]
            self.board.told(taken[0])
        assert {m: self.phones.get(m, DARK) for m in self.wanted} == self.wanted
        self.board.want_all_again()
        assert self.board.due == sum(counts != DARK for counts in self.wanted.values())


TestTellers = Tellers.TestCase


def test_what_waits_is_replaced_and_the_longest_waiting_comes_first() -> None:
    board = Board()
    for mailbox, new in [("101", 1), ("102", 2), ("101", 3)]:
        board.want(mailbox, LampCounts(new, 0))
    assert board.due == 2
    assert board.take() == ("101", LampCounts(3, 0))
    assert board.take() == ("102", LampCounts(2, 0))
    assert board.take() is None
