"""Matchers judge what has been typed so far."""

from hypothesis import given
from hypothesis import strategies as st

from vm_ari.telephony.dtmf import Back, Complete, Pending, number_until_hash, one_of

KEYS = st.text(alphabet="0123456789*#", min_size=1, max_size=25)
CHOICES = {"1": "one", "22": "two", "23": "three"}


@given(KEYS)
def test_a_choice_is_complete_when_it_is_there_and_pending_while_it_may_come(typed: str) -> None:
    judgement = one_of(CHOICES)(typed)
    if typed in CHOICES:
        assert judgement == Complete(CHOICES[typed])
    elif typed == "2":
        assert judgement is Pending.INCOMPLETE
    else:
        assert judgement is Pending.INVALID


@given(KEYS)
def test_a_number_is_its_digits_until_the_hash_key(typed: str) -> None:
    judgement = number_until_hash(longest=20)(typed)
    match judgement:
        case Complete(Back.BACK):
            assert typed == "*"
        case Complete(str(number)):
            assert number.isdigit()
            assert typed in (number, number + "#")
            assert typed.endswith("#") or len(number) >= 20
        case Pending.INCOMPLETE:
            assert typed.isdigit()
            assert len(typed) < 20
        case _:
            assert typed == "#" or "*" in typed or "#" in typed[:-1]


@given(st.text(alphabet="0123456789", min_size=1, max_size=19))
def test_every_start_of_a_number_is_incomplete_and_the_hash_completes_it(digits: str) -> None:
    judge = number_until_hash()
    assert all(judge(digits[:n]) is Pending.INCOMPLETE for n in range(1, len(digits) + 1))
    assert judge(digits + "#") == Complete(digits)


@given(KEYS)
def test_a_number_that_may_be_left_out_is_empty_at_once(typed: str) -> None:
    judgement = number_until_hash(or_none=True)(typed)
    assert judgement == (Complete("") if typed == "#" else number_until_hash()(typed))
