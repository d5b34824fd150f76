"""Which ways lead back to a mailbox, and what a leg carries about where it has been."""

from hypothesis import given
from hypothesis import strategies as st

from tests.domain.telephone_sites import BARE, BERLIN, hostile
from vm_ari.domain.transfer import LONGEST_CHAIN, Chain, Outcome, leads_back, own_numbers

numbers = st.from_regex(r"\A\+?[0-9]{1,20}\Z")


@given(st.lists(numbers, max_size=LONGEST_CHAIN))
def test_a_chain_is_read_as_it_was_written(mailboxes: list[str]) -> None:
    chain = Chain()
    for number in mailboxes:
        chain = chain.and_then(number)
    assert Chain.read(str(chain)) == chain


@given(hostile)
def test_whatever_else_a_leg_carries_is_dropped(text: str) -> None:
    chain = Chain.read(text)
    assert Chain.read(str(chain)) == chain
    assert all(number.strip("+").isdecimal() for number in chain.numbers)


def test_a_mailbox_that_has_sent_the_call_on_is_not_called_again() -> None:
    chain = Chain.read("+4930555101-+4930555102")
    assert chain.comes_back_to({"+4930555102", "+4930555199"})
    assert not chain.comes_back_to({"+4930555103"})
    assert not Chain().comes_back_to({"+4930555103"})


def test_a_call_is_not_sent_on_for_ever_by_ever_other_mailboxes() -> None:
    longest = Chain(tuple(str(n) for n in range(LONGEST_CHAIN)))
    assert longest.comes_back_to({"+4930555103"})


def test_all_names_of_a_mailbox_are_one() -> None:
    own = own_numbers(("101", "+49 30 555-102", "nobody", ""), BERLIN)
    assert own == {"+4930555101", "+4930555102"}
    assert own_numbers(("101",), BARE) == {"101"}


def test_the_own_number_and_where_the_call_has_been_lead_back() -> None:
    own, been_at = own_numbers(("101",), BERLIN), own_numbers(("102",), BERLIN)
    assert leads_back("+4930555101", own, been_at)
    assert leads_back("+4930555102", own, been_at)
    assert not leads_back("+4930555103", own, been_at)


def test_only_who_talked_was_connected() -> None:
    assert [one for one in Outcome if one.connected] == [Outcome.TALKED, Outcome.REFERRED]
