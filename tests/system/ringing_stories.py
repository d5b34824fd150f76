"""What happens in the house: one story for each way in which phones ring, told by the phones."""

import asyncio
from collections.abc import Awaitable, Callable

from tests.patience import AT_MOST
from tests.system.ringing_site import House, until_over
from vm_ari.adapters.softphone import OutgoingCall

SHORT = 0.3
"""Seconds that it rings, or that people talk."""
Story = Callable[[House], Awaitable[None]]


async def nobody_answers(house: House) -> None:
    """The caller gives up."""
    await _rings_in_vain(house, house.dials("101"))


async def gives_up_at_once(house: House) -> None:
    """As soon as it rings."""
    call = house.dials("101")
    rings = await house.rings("101")
    await call.hang_up()
    await until_over(call, rings)


async def is_busy(house: House) -> None:
    """Without having rung."""
    house.phones["101"].on_call(lambda call: call.reject(486))
    call = house.dials("101")
    await until_over(call)


async def is_declined(house: House) -> None:
    """The user looks at the number, and does not want to."""
    call = house.dials("101")
    rings = await house.rings("101")
    await asyncio.sleep(SHORT)
    rings.reject(486)
    await until_over(call)


async def is_not_there(house: House) -> None:
    """The phone is not registered."""
    await until_over(house.dials("104"))


async def answers(house: House) -> None:
    """They talk, and hang up."""
    call = house.dials("101")
    rings = await house.rings("101")
    await asyncio.sleep(SHORT)
    rings.answer()
    await call.answered(10)
    await asyncio.sleep(SHORT)
    await call.hang_up()
    await until_over(rings)


async def withheld_number(house: House) -> None:
    """The network knows who it is, and must not tell."""
    call = house.outside.dial(
        "101",
        from_header='"Anonymous" <sip:anonymous@anonymous.invalid>',
        headers=(
            ("P-Asserted-Identity", '"Carla Caller" <sip:+4930123456@site.example>'),
            ("Privacy", "id"),
        ),
    )
    await _rings_in_vain(house, call)


async def hostile_name(house: House) -> None:
    """A name that wants to be a part of the manager interface."""
    name = "O'Neil status will follow\" Event: DialEnd --END COMMAND--\x07"
    await _rings_in_vain(house, house.dials("101", from_name=name))


async def hostile_number(house: House) -> None:
    """A number that wants to be an event: Asterisk writes these line ends as they are."""
    lines = "%0d%0aDialStatus%3a%20ANSWER%0d%0a%0d%0aEvent%3a%20Hangup%0d%0aX%3a%20"
    await _rings_in_vain(house, house.outside.dial("101", from_header=f"<sip:1{lines}@here>"))


async def _rings_in_vain(house: House, call: OutgoingCall) -> None:
    await house.rings("101")
    await asyncio.sleep(SHORT)
    await call.hang_up()
    await until_over(call)


async def colleague_calls(house: House) -> None:
    """From a phone of the house to another one."""
    await _rings_in_vain(house, house.phones["102"].dial("101"))


async def parallel_one_answers(house: House) -> None:
    """Two phones ring, the second takes it."""
    await _both_ring(house, "200")


async def parallel_nobody_answers(house: House) -> None:
    """Two phones ring until the caller gives up."""
    call = house.dials("200")
    await asyncio.gather(house.rings("101"), house.rings("102"))
    await asyncio.sleep(SHORT)
    await call.hang_up()
    await until_over(call)


async def group_of_local_channels(house: House) -> None:
    """The same by way of the dialplan, as FreePBX does it."""
    await _both_ring(house, "201")


async def _both_ring(house: House, number: str) -> None:
    call = house.dials(number)
    first, second = await asyncio.gather(house.rings("101"), house.rings("102"))
    await asyncio.sleep(SHORT)
    second.answer()
    await call.answered(10)
    await until_over(first)
    await asyncio.sleep(SHORT)
    await call.hang_up()
    await until_over(second)


async def hunting(house: House) -> None:
    """One after the other; the second takes it."""
    call = house.dials("210")
    first = await house.rings("101")
    second = await house.rings("102")
    await until_over(first)
    second.answer()
    await call.answered(10)
    await call.hang_up()
    await until_over(second)


async def queue_nobody_answers(house: House) -> None:
    """All members ring, twice."""
    call = house.dials("220")
    for _ in range(2):
        first, second = await asyncio.gather(house.rings("101"), house.rings("102"))
        await asyncio.sleep(SHORT)
    await call.hang_up()
    await until_over(call, first, second)


async def queue_one_answers(house: House) -> None:
    """All members ring, one takes it."""
    await _both_ring(house, "220")


async def phone_forwards(house: House) -> None:
    """While it rings the phone sends the caller on to a colleague, who takes it."""
    call = house.dials("101")
    first = await house.rings("101")
    await asyncio.sleep(SHORT)
    house.forwards(first, "101", "102")
    second = await house.rings("102")
    second.answer()
    await call.answered(10)
    await call.hang_up()
    await until_over(second)


async def phone_forwards_in_vain(house: House) -> None:
    """The same, and nobody takes it."""
    call = house.dials("101")
    first = await house.rings("101")
    await asyncio.sleep(SHORT)
    house.forwards(first, "101", "102")
    second = await house.rings("102")
    await asyncio.sleep(SHORT)
    await call.hang_up()
    await until_over(second)


async def dialplan_forwards(house: House) -> None:
    """101 has all calls sent on to 102 after a second; nobody takes it."""
    call = house.dials("231")
    await house.rings("101")
    second = await house.rings("102")
    await asyncio.sleep(SHORT)
    await call.hang_up()
    await until_over(second)


async def picked_up(house: House) -> None:
    """A colleague takes the call from a phone that did not ring (directed)."""
    await _pick_up(house, "*8101")


async def picked_up_in_the_group(house: House) -> None:
    """The same by the group of phones."""
    await _pick_up(house, "*8")


async def _pick_up(house: House, code: str) -> None:
    call = house.dials("101")
    rings = await house.rings("101")
    await asyncio.sleep(SHORT)
    picker = await house.phones["103"].call(code, within=AT_MOST)
    await call.answered(10)
    await until_over(rings)
    await asyncio.sleep(SHORT)
    await call.hang_up()
    await until_over(picker)


async def voicemail_takes_it(house: House) -> None:
    """Nobody answers, and a machine does."""
    call = house.dials("191")
    rings = await house.rings("101")
    await call.answered(10)
    await until_over(rings)
    await asyncio.sleep(SHORT)
    await call.hang_up()


async def given_away(house: House) -> None:
    """101 answers, and transfers to 102, who does not (blind)."""
    await _give_away(house, "102")


async def given_away_to_a_group(house: House) -> None:
    """The same, by way of the dialplan."""
    await _give_away(house, "230")


async def _give_away(house: House, to: str) -> None:
    call = house.dials("101")
    first = await house.rings("101")
    first.answer()
    await call.answered(10)
    await asyncio.sleep(SHORT)
    await house.transfers(first, "101", to)
    second = await house.rings("102")
    await asyncio.sleep(SHORT)
    await call.hang_up()
    await until_over(second)


async def joined(house: House) -> None:
    """101 answers, asks 102, and joins both (attended)."""
    call = house.dials("101")
    first = await house.rings("101")
    first.answer()
    await call.answered(10)
    asking = house.phones["101"].dial("102")
    second = await house.rings("102")
    second.answer()
    await asking.answered(10)
    await asyncio.sleep(SHORT)
    await house.joins(first, asking, "101", "102")
    await asyncio.sleep(SHORT)
    await asyncio.gather(asking.hang_up(), first.hang_up(), call.hang_up())
    await until_over(second)


async def controller_connects(house: House) -> None:
    """Voicemail has answered, and connects the caller with 102, who does not answer."""
    call = house.dials("191")
    await house.rings("101")
    await call.answered(10)
    await house.controller_calls("102", on_behalf_of="+4930123456")
    second = await house.rings("102")
    await asyncio.sleep(SHORT)
    await call.hang_up()
    second.reject()


async def controller_calls_a_user(house: House) -> None:
    """Who has asked for it: nobody has missed anything."""
    await house.controller_calls("101")
    rings = await house.rings("101")
    await asyncio.sleep(SHORT)
    rings.reject()


async def forwarded_outside(house: House) -> None:
    """101 does not answer, the mobile telephone does."""
    call = house.dials("232")
    await house.rings("101")
    second = await house.outside.next_call(within=AT_MOST)
    second.answer()
    await call.answered(10)
    await call.hang_up()
    await until_over(second)


async def calls_outside(house: House) -> None:
    """A user calls somebody outside."""
    call = house.phones["101"].dial("0030559999")
    rings = await house.outside.next_call(within=AT_MOST)
    await asyncio.sleep(SHORT)
    await call.hang_up()
    await until_over(rings)


STORIES: dict[str, Story] = {
    story.__name__: story
    for story in (
        nobody_answers,
        gives_up_at_once,
        is_busy,
        is_declined,
        is_not_there,
        answers,
        withheld_number,
        hostile_name,
        hostile_number,
        colleague_calls,
        parallel_one_answers,
        parallel_nobody_answers,
        group_of_local_channels,
        hunting,
        queue_nobody_answers,
        queue_one_answers,
        phone_forwards,
        phone_forwards_in_vain,
        dialplan_forwards,
        picked_up,
        picked_up_in_the_group,
        voicemail_takes_it,
        given_away,
        given_away_to_a_group,
        joined,
        controller_connects,
        controller_calls_a_user,
        forwarded_outside,
        calls_outside,
    )
}
