"""Calling somebody from another process: what is asked of Asterisk, and what its answers mean.

`tests/system/test_calling_back.py` does the same on a real one; here Asterisk is a little server
that answers as that one was seen to.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from vm_ari.adapters.ari.transport import Address
from vm_ari.adapters.outgoing_call import OutgoingCalls
from vm_ari.domain.dialling import DiallingRules
from vm_ari.domain.numbers import Site
from vm_ari.domain.playing_call import PlayingCall, Report, wanted_in
from vm_ari.domain.users import User
from vm_ari.ports import NoCall
from vm_ari.services.play_on_phone import PlayOnPhone

BERLIN = Site("DE", "+4930555", 3, outside_prefix="0")
ANNA = User("anna", "Anna", "101", ("+4930555101", "+4930555111"), "anna@site.example")


@dataclass
class Asterisk:
    """One call: each look finds the next state, the last one is that it has ended."""

    states: Sequence[str] = ("Down", "Up")
    reports: Sequence[str] = ()
    """What was reported of the call at each look at it while it is up."""
    has_controller: bool = True
    refuses: bool = False
    asked: dict[str, str] = field(default_factory=dict)
    """Of the channel that was made."""
    hung_up: bool = False
    looks: int = 0

    def routes(self) -> list[web.RouteDef]:
        channel = "/ari/channels/{id}"
        return [
            web.get("/ari/applications/{name}", self._application),
            web.post("/ari/channels", self._originate),
            web.get(channel, self._look),
            web.get(channel + "/variable", self._variable),
            web.delete(channel, self._hang_up),
        ]

    async def _application(self, _request: web.Request) -> web.Response:
        return web.json_response({"channel_ids": []}, status=200 if self.has_controller else 404)

    async def _originate(self, request: web.Request) -> web.Response:
        if self.refuses:
            return web.json_response({"message": "Allocation failed"}, status=500)
        body = await request.json() if request.can_read_body else {}
        self.asked = {**request.query, **body.get("variables", {})}
        return web.json_response({"id": self.asked["channelId"]})

    async def _look(self, request: web.Request) -> web.Response:
        assert request.match_info["id"] == self.asked["channelId"]
        self.looks += 1
        if self.looks > len(self.states) or self.hung_up:
            return web.json_response({"message": "Channel not found"}, status=404)
        return web.json_response({"state": self.states[self.looks - 1]})

    async def _variable(self, request: web.Request) -> web.Response:
        up = sum(state == "Up" for state in self.states[: self.looks])
        if request.query["variable"] != "VM_ARI_REPORT" or up > len(self.reports):
            return web.json_response({"message": "Provided variable was not found"}, status=404)
        return web.json_response({"value": self.reports[up - 1]})

    async def _hang_up(self, _request: web.Request) -> web.Response:
        self.hung_up = True
        return web.Response(status=204)


@asynccontextmanager
async def calls_by(asterisk: Asterisk) -> AsyncIterator[PlayOnPhone]:
    """Over HTTP, on a free port."""
    app = web.Application()
    app.add_routes(asterisk.routes())
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    [(_, port)] = runner.addresses
    address = Address(f"http://127.0.0.1:{port}", "vm-ari", "secret")
    telephones = OutgoingCalls(address, "vm-ari", "Local/{number}@out/n", look_every=0.01)
    try:
        yield PlayOnPhone(telephones, DiallingRules(), (BERLIN,))
    finally:
        await runner.cleanup()


def play(asterisk: Asterisk, phone: str = "") -> str:
    """Why the message was not heard; empty: it was."""

    async def story() -> None:
        async with calls_by(asterisk) as calls:
            await calls.play(ANNA, "uid/1", phone)

    try:
        asyncio.run(story())
    except NoCall as error:
        return str(error)
    return ""


@pytest.mark.feature_part("INBOX-14", "the user's own telephone, or another one by the rules")
@pytest.mark.parametrize(
    ("phone", "endpoint", "number"),
    [
        ("", "Local/101@out/n", "+4930555101"),
        ("102", "Local/102@out/n", "+4930555102"),
        ("0170 1234567", "Local/001701234567@out/n", "+491701234567"),
    ],
)
def test_the_telephone_is_called_and_the_controller_knows_why(
    phone: str, endpoint: str, number: str
) -> None:
    asterisk = Asterisk(reports=(Report.PLAYED,))
    assert play(asterisk, phone) == ""
    assert asterisk.asked["endpoint"] == endpoint
    assert asterisk.asked["app"] == "vm-ari"
    wanted = wanted_in(asterisk.asked["appArgs"].split(","))
    assert wanted == PlayingCall("anna", "uid/1", number)
    assert asterisk.asked["__VM_ARI_CHAIN"] == "+4930555101-+4930555111", "no mailbox of hers"


@pytest.mark.parametrize(
    ("asterisk", "why"),
    [
        (Asterisk(has_controller=False), "vm-ari run"),
        (Asterisk(refuses=True), "+4930555101 cannot be called"),
        (Asterisk(states=("Down", "Ringing")), "Nobody answered"),
        (Asterisk(), "nobody pressed the key"),
        (Asterisk(reports=("something of a newer version",)), "nobody pressed the key"),
        (Asterisk(reports=(Report.NO_PIN,)), "PIN was not typed"),
        (Asterisk(reports=(Report.CLOSED,)), "login_from"),
        (Asterisk(reports=(Report.GONE,)), "no such message"),
        (Asterisk(reports=(Report.UNAVAILABLE,)), "message store does not answer"),
        (
            Asterisk(states=("Up", "Up"), reports=(Report.PLAYED, Report.UNAVAILABLE)),
            "message store does not answer",
        ),
        (Asterisk(states=("Up", "Up"), reports=(Report.NO_PIN, Report.PLAYED)), ""),
    ],
)
def test_what_came_of_it_is_told(asterisk: Asterisk, why: str) -> None:
    told = play(asterisk)
    assert (why in told) if why else told == ""


@pytest.mark.feature_part("SITE-03", "a message is played on no telephone outside of the table")
@pytest.mark.parametrize("phone", ["0900 1234567", "112", "+43 1 58858", "nobody", "1&2"])
def test_a_number_outside_of_the_table_is_not_called(phone: str) -> None:
    asterisk = Asterisk()
    assert play(asterisk, phone)
    assert asterisk.asked == {}


def test_a_user_without_a_telephone_is_told_so() -> None:
    async def story() -> None:
        async with calls_by(Asterisk()) as calls:
            await calls.play(User("x", "X", "", (), ""), "a")

    with pytest.raises(NoCall, match="no telephone number"):
        asyncio.run(story())


def test_who_gives_up_ends_the_call() -> None:
    asterisk = Asterisk(states=("Up",) * 1000)

    async def story() -> None:
        async with calls_by(asterisk) as calls:
            playing = asyncio.create_task(calls.play(ANNA, "a"))
            while asterisk.looks < 3:
                await asyncio.sleep(0.01)
            playing.cancel()
            with pytest.raises(asyncio.CancelledError):
                await playing

    asyncio.run(story())
    assert asterisk.hung_up
