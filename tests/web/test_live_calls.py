"""The page of calls that go on: who sees which, and who ends them (WEB-02)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from http import HTTPStatus
from pathlib import Path

import pytest

from tests.web.portal_house import ADAM, ANNA, BERT, CORA, OLGA, House, in_house, token_in
from tests.web.test_users_pages import visitor
from vm_ari.domain.callers import Caller
from vm_ari.domain.journal import Kind
from vm_ari.services.call_records import CallRecords
from vm_ari.services.journal_writing import NoJournal
from vm_ari.services.live_calls import LiveCalls
from vm_ari.web.overview_parts import OverviewParts

EVE = Caller("+49301234567", "<b>Eve</b>")


class Controller:
    """As it runs beside the portal."""

    def __init__(self, house: House) -> None:
        parts = next(one for one in house.portal.parts.more if isinstance(one, OverviewParts))
        self.ended: list[str] = []
        self.calls = LiveCalls(parts.calls.store, house.clock, "pbx", self._end, "1.0")
        self.records = self.calls.watching(CallRecords(NoJournal(), house.clock, "pbx"))

    async def _end(self, channel: str) -> bool:
        self.ended.append(channel)
        return True


@asynccontextmanager
async def calls_of(house: House, *user_ids: str) -> AsyncIterator[Controller]:
    """One of Eve to each of them."""
    controller = Controller(house)
    await controller.calls.store.begin(await controller.calls._self())
    async with AsyncExitStack() as going_on:
        for user_id in user_ids:
            call = controller.records.of(
                f"to-{user_id}", Kind.CALL, caller=EVE, called="+498142479", user_id=user_id
            )
            await going_on.enter_async_context(call)
        await controller.calls.publish(beat=True)
        yield controller


@pytest.mark.feature("WEB-02")
def test_everybody_sees_only_the_calls_of_those_for_whom_he_may_act(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        olga, adam = await visitor(house, OLGA), await visitor(house, ADAM)
        assert "No controller is running" in (await olga.sees("/live-calls")).text
        async with calls_of(house, ANNA, BERT, CORA, ""):
            page = (await olga.sees("/live-calls")).text
            for told in ("Anna Acker", "Bert Bauer", "no user yet", "&lt;b&gt;Eve", "comes in"):
                assert told in page
            assert "Calls just now: 3. And 1 of users whom you may not see." in page
            assert "Cora" not in page
            theirs = (await adam.sees("/live-calls/list")).text
            assert "Calls just now: 1.</p>" in theirs
            assert "Bert Bauer" in theirs
            for hidden in ("Anna", "Cora", "no user yet", "<b>"):
                assert hidden not in theirs
            house.clock.passes(seconds=60)
            assert "No controller is running" in (await olga.sees("/live-calls/list")).text

    in_house(tmp_path, story)


@pytest.mark.feature("WEB-02")
def test_a_call_is_ended_by_who_may_and_after_a_question(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        adam = await visitor(house, ADAM)
        async with calls_of(house, ANNA, BERT) as controller:
            ids = {one.user_id: one.id for one in controller.calls.board.calls().values()}
            question = (await adam.sees(f"/live-calls?end={ids[BERT]}")).text
            assert "End this call?" in question
            token = token_in(question)
            assert "over already" in (await adam.sees(f"/live-calls?end={ids[ANNA]}")).text
            for wanted in (ids[ANNA], ids[BERT], "pbx/none"):
                answer = await adam.http.post("/live-calls", data={"csrf": token, "call": wanted})
                assert answer.status_code == HTTPStatus.SEE_OTHER
            await controller.calls.carry_out()
            assert controller.ended == [f"to-{BERT}"]

    in_house(tmp_path, story)


def test_looking_on_keeps_no_session_alive(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        olga = await visitor(house, OLGA)
        for _ in range(4):
            house.clock.passes(minutes=5)
            await olga.sees("/live-calls/list", **{"hx-request": "true"})
            await asyncio.sleep(0)
        assert (await olga.sees("/live-calls")).status_code == HTTPStatus.SEE_OTHER

    in_house(tmp_path, story)


def test_a_database_that_is_away_is_told(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        olga = await visitor(house, OLGA)
        assert "cannot be found out" in (await olga.sees("/live-calls")).text

    in_house(tmp_path, story, journal={"url": f"sqlite:///{tmp_path}"})
