"""What a caller does who leaves a message."""

from tests.dialogues.exchange import Exchange
from tests.phone import Phone
from vm_ari.speech.catalogue import P

NOT_STORED = ["en/cannot-store", "en/goodbye"]
NOTHING = ["en/nothing-recorded", "en/goodbye"]


async def records(phone: Phone, seconds: float, end: str = "#") -> None:
    """Straight to the tone, talk, and press the end key."""
    phone.presses("0")
    await phone.speaks(seconds)
    phone.presses(end)


async def is_thanked(phone: Phone) -> None:
    await phone.hears(P.THANK_YOU_GOODBYE)
    await phone.hears_the_end()


def being_recorded(site: Exchange) -> str:
    """The name of the first take of the only call."""
    [facts] = site.spool.open.values()
    return site.spool.recording_name(facts.id, 1)


async def left_for_adoption(site: Exchange) -> list[list[int]]:
    """Takes of calls that nobody has in hand."""
    return [list(takes) for _, takes in await site.spool.unfinished()]
