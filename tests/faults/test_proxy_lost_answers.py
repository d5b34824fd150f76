"""Asterisk begins to record, and the answer that says so gets lost: the caller is talking already.

On the virtual clock; `test_proxy_calls.py` loses the answers of a real Asterisk.
"""

import pytest

from tests.dialogues.exchange import THANKS, Exchange
from tests.fake_channel import FakeChannel
from tests.phone import Phone
from vm_ari.domain.recording import Limits
from vm_ari.speech.catalogue import P
from vm_ari.speech.parts import Clip
from vm_ari.telephony.channel import LineSilent

BEEP, NOT_STORED = "tones/beep", "en/cannot-store"


class Forgetful(FakeChannel):
    """The first answers to `record` get lost, and for a while there are none at all."""

    does_it = True
    """False: not even the command has arrived."""
    lost = 1
    away = 0
    """So many questions afterwards are not answered either."""

    async def record(self, name: str, limits: Limits, tone: Clip | None = None) -> None:
        """See `Channel`."""
        self.lost -= 1
        if self.lost < 0 or self.does_it:
            await super().record(name, limits, tone)
        if self.lost >= 0:
            raise LineSilent("record: no answer")

    async def rejoin(self, name: str) -> None:
        """See `Channel`; a recording behind its tone is there, too."""
        self.away -= 1
        if self.away >= 0:
            raise LineSilent("rejoin: no answer")
        if not (self.does_it and self._recordings_behind):
            await super().rejoin(name)

    async def leave(self, status: str, extension: str = "") -> None:
        """See `Channel`."""
        self.away -= 1
        if self.away >= 0:
            raise LineSilent("leave: no answer")
        await super().leave(status, extension)


def forgetful(site: Exchange, **how: object) -> Forgetful:
    line = Forgetful("forgetful", site.spool.takes)
    for name, value in how.items():
        setattr(line, name, value)
    return line


async def says_it(phone: Phone) -> None:
    phone.presses("0")
    await phone.hears(P.BEEP)
    await phone.speaks(5)
    phone.presses("#1")
    await phone.hears_the_end()


@pytest.mark.parametrize("away", [0, 1, 5])
def test_who_talks_already_is_not_interrupted(away: int) -> None:
    site = Exchange()
    told = site.phone_call(says_it, line=forgetful(site, away=away))
    assert site.messages == [5]
    names = told.phone.heard_names()
    assert names.count(BEEP) == 1
    assert names[-1] == THANKS


@pytest.mark.parametrize("away", [0, 30])
def test_who_hangs_up_meanwhile_has_left_his_message(away: int) -> None:
    site = Exchange()

    async def caller(phone: Phone) -> None:
        phone.presses("0")
        await phone.hears(P.BEEP)
        await phone.speaks(5)
        phone.hangs_up()

    site.phone_call(caller, line=forgetful(site, away=away))
    assert site.messages == [5]


def test_what_was_finished_meanwhile_is_kept() -> None:
    """He has pressed the key for the end long before Asterisk answers again."""
    site = Exchange()

    async def caller(phone: Phone) -> None:
        phone.presses("0")
        await phone.hears(P.BEEP)
        await phone.speaks(5)
        line.reports_ends = False
        phone.presses("#")
        await phone.waits(3)
        line.reports_ends, line.away = True, 0
        await phone.hears(P.TO_SEND)
        phone.presses("1")
        await phone.hears(P.THANK_YOU_GOODBYE)
        await phone.hears_the_end()

    line = forgetful(site, away=99)
    site.phone_call(caller, line=line)
    assert site.messages == [5]


@pytest.mark.parametrize("lost", [1, 2])
def test_who_has_heard_no_tone_hears_one_later(lost: int) -> None:
    site = Exchange()
    told = site.phone_call(says_it, line=forgetful(site, does_it=False, lost=lost, away=3))
    assert site.messages == [5]
    assert told.phone.heard_names().count(BEEP) == 1


def test_where_nothing_can_be_recorded_he_is_told_so() -> None:
    site = Exchange()

    async def caller(phone: Phone) -> None:
        phone.presses("0")
        await phone.hears_the_end()

    told = site.phone_call(caller, line=forgetful(site, does_it=False, lost=99))
    assert site.messages == []
    assert NOT_STORED in told.phone.heard_names()
    assert told.channel.left == ("FAILED", "")


def test_who_was_thanked_is_not_greeted_again() -> None:
    site = Exchange()

    async def caller(phone: Phone) -> None:
        phone.presses("0")
        await phone.hears(P.BEEP)
        line.away = 2
        await phone.speaks(5)
        phone.presses("#1")
        await phone.hears_the_end()

    line = forgetful(site, lost=0)
    told = site.phone_call(caller, line=line)
    assert site.messages == [5]
    assert told.channel.left == ("SUCCESS", "")
