"""The judge of a torture condemns what is wrong, and nothing else."""

from dataclasses import replace

import numpy as np
import pytest

from tests.system.callers import babble
from tests.torture.book import (
    LOST_WITH_ASTERISK,
    MARGIN,
    Book,
    Found,
    Judgement,
    Outage,
    Part,
    Said,
    Sent,
    Way,
    judge,
    owed,
)
from vm_ari.adapters.ear import RATE, Audio

WORDS = babble(5.0, 1)
SAID = Said("+491", WORDS, begun=100.0, ended=105.0, over=106.0)
FOUND = Found("101", "<1@x>", "+491", WORDS, new=True)
SENT = Sent("+492", "102", babble(3.0, 2), confirmed=True)
BROUGHT = Found("102", "<2@x>", "+492", SENT.words, new=True)


def judged(
    *found: Found, said: Said = SAID, sent: tuple[Sent, ...] = (), outside: tuple[Found, ...] = ()
) -> Judgement:
    return judge(Book(said=[said], sent=list(sent)), found, outside)


def part_of(audio: Audio, seconds: float) -> Audio:
    return audio[: round(seconds * RATE)]


def test_what_is_there_once_and_whole_is_right() -> None:
    judgement = judged(FOUND, BROUGHT, sent=(SENT,))
    assert judgement == Judgement(2, 2, 0, 0, [])


@pytest.mark.parametrize(
    ("found", "why"),
    [
        ((), "no message is there"),
        ((FOUND, replace(FOUND, message_id="<9@x>", place="102")), "is there 2 times"),
        ((FOUND, FOUND), "<1@x> is there 2 times"),
        ((replace(FOUND, audio=part_of(WORDS, 4.0)),), "only 4.00 of"),
        ((replace(FOUND, audio=babble(5.0, 7)),), "another sound"),
    ],
)
def test_what_is_lost_torn_or_there_twice_is_wrong(found: tuple[Found, ...], why: str) -> None:
    assert any(why in one for one in judged(*found).violations)


def test_a_sending_that_was_confirmed_is_there_once() -> None:
    forwarded = replace(BROUGHT, audio=np.concatenate([SENT.words, WORDS]))
    assert judged(FOUND, forwarded, sent=(SENT,)).violations == []
    assert "confirmed, and not there" in judged(FOUND, sent=(SENT,)).violations[0]
    assert judged(FOUND, sent=(replace(SENT, confirmed=False),)).violations == []
    again = replace(BROUGHT, message_id="<3@x>")
    assert "there 2 times" in judged(FOUND, BROUGHT, again, sent=(SENT,)).violations[0]


def test_outside_a_mail_may_come_again_and_not_another_one() -> None:
    sent, mail = replace(SENT, to="+493"), replace(BROUGHT, place="+493", caller="")
    assert "not there" in judged(FOUND, sent=(sent,)).violations[0]
    again = judged(FOUND, sent=(sent,), outside=(mail, mail))
    assert (again.violations, again.repeated_mails) == ([], 1)
    another = replace(mail, message_id="<4@x>")
    assert judged(FOUND, sent=(sent,), outside=(mail, another)).duplicates == 1


def test_what_was_seen_meanwhile_counts() -> None:
    assert judge(Book(complaints=["a file"]), (), ()).violations == ["a file"]


def test_who_was_thanked_is_owed_everything_whatever_died() -> None:
    death = Outage(Part.ASTERISK, Way.KILL, 103.0, 108.0)
    assert owed(replace(SAID, thanked=True), [death]) == pytest.approx(4.9)
    short = replace(SAID, words=part_of(WORDS, 1.0), ended=101.0, thanked=True)
    assert owed(short, []) == pytest.approx(0.9)
    assert owed(replace(short, by_dialplan=True), []) is None


def test_asterisk_loses_what_it_has_not_written() -> None:
    killed = Outage(Part.ASTERISK, Way.KILL, 104.9, 108.0)
    long = replace(SAID, words=babble(9.0, 1), begun=96.0)
    need = owed(long, [killed])
    assert need == pytest.approx(8.9 - MARGIN - LOST_WITH_ASTERISK - 0.1)
    assert owed(SAID, [replace(killed, begun=104.0)]) is None
    asked = replace(killed, way=Way.TERM)
    assert owed(SAID, [asked]) == pytest.approx(4.9 - MARGIN - 0.8)
    assert owed(SAID, [replace(asked, begun=95.0, ended=104.0)]) is None
    assert owed(SAID, [replace(killed, begun=107.0)]) == pytest.approx(4.9)
    assert owed(SAID, [replace(killed, part=Part.CONTROLLER)]) == pytest.approx(4.9)


def test_nothing_is_owed_for_what_is_too_short_or_was_said_before_the_tone() -> None:
    assert owed(replace(SAID, begun=None), []) is None
    assert owed(replace(SAID, words=part_of(WORDS, 1.5), ended=101.5), []) is None
    assert owed(replace(SAID, by_dialplan=True), []) == pytest.approx(4.5)
