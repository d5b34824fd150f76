"""The API against made-up requests of everybody: nothing breaks, nothing foreign is told.

It takes some seconds; ``VM_ARI_API_SECONDS=600`` lets it go on for longer, and
``VM_ARI_API_SEED`` makes up others.
"""

import asyncio
import os
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import cycle
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy, nothing

from tests.recordings import spoken, wav
from tests.web.api_program import Program, token
from tests.web.api_requests import Call, Described, Json
from tests.web.left_messages import BEGAN, desk, leave, noted
from tests.web.portal_house import (
    ADAM,
    ANNA,
    BERT,
    CORA,
    OLGA,
    PEOPLE,
    House,
    portal_house,
)
from vm_ari.domain.callers import Caller
from vm_ari.domain.entries import Entry
from vm_ari.domain.preferences import SETTINGS
from vm_ari.domain.system_mails import SystemMail
from vm_ari.web.admin_parts import AdminParts
from vm_ari.web.api.openapi import document
from vm_ari.web.visit import written_id

SECONDS = float(os.environ.get("VM_ARI_API_SECONDS", "0"))
ROUNDS = 8
"""At least, however slow the machine is."""
SEED = int(os.environ.get("VM_ARI_API_SEED", "1"))
ROUND = 100
"""Requests between looks at the clock."""
NOBODY, WRONG = "nobody", "wrong"
"""Without a token, and with one that was never made."""
SEEN_BY = {
    NOBODY: (),
    WRONG: (),
    ANNA: (ANNA,),
    BERT: (BERT,),
    ADAM: (ADAM, BERT),
    OLGA: (ANNA, OLGA, ADAM, BERT),
}
"""Whose data each of them may see; nobody sees Cora's."""
TURNS = (
    *((OLGA, False), (ANNA, True), (ADAM, False), (OLGA, False), (BERT, True), (OLGA, True)),
    *((ADAM, False), (OLGA, False), (ANNA, True), (OLGA, False), (BERT, True), (ADAM, True)),
    *((ANNA, False), (OLGA, False), (BERT, False), (NOBODY, False), (OLGA, False), (WRONG, False)),
)
"""Who sends the next request, and whether it is to the own addresses."""
SLOW = frozenset({"uploadGreeting", "speakGreeting", "uploadGreetingOf", "speakGreetingOf"})


def mark(user_id: str) -> str:
    """What stands in everything of that user, and nowhere else."""
    return f"q7{user_id}z9"


MARKED = {
    one.id: replace(
        one,
        name=f"{one.name} {mark(one.id)}",
        given=mark(one.id),
        mail=f"{mark(one.id)}@example.org",
        settings={"notify_mail": f"{mark(one.id)}@example.net"},
    )
    for one in PEOPLE
}


def store_in(home: Path) -> dict[str, Any]:
    """With a folder to put messages away."""
    return {"store": {"maildir": home / "mail", "folders": ["Later"]}}


@dataclass
class Trial:
    """Sends requests into one house, and judges the answers."""

    runner: asyncio.Runner
    house: House
    described: Described = field(default_factory=lambda: Described({}, {}))
    calls: SearchStrategy[Call] = field(default_factory=nothing)
    own_calls: SearchStrategy[Call] = field(default_factory=nothing)
    programs: dict[str, Program] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    told: Counter[int] = field(default_factory=Counter)
    reached: set[tuple[str, str]] = field(default_factory=set)
    """Operations that have answered to somebody with success."""
    seen: set[tuple[str, str]] = field(default_factory=set)
    """Who has seen whose mark."""

    def sends(self, who: str, call: Call) -> None:
        """Send it and judge the answer."""
        self.runner.run(self._sends(who, call))

    async def _sends(self, who: str, call: Call) -> None:
        answer = await self.programs[who].http.request(
            call.method,
            call.path,
            params=dict(call.query),
            content=call.body,
            headers={k.encode(): v.encode("latin-1", "ignore") for k, v in call.headers.items()},
        )
        self.asked[who] += 1
        self.told[answer.status_code] += 1
        self._judge(who, call, answer)
        if answer.is_success:
            self.reached.add((who, call.operation))
            if call.method != "GET" and call.path.startswith("/admin"):
                await self.mend()

    def _judge(self, who: str, call: Call, answer: httpx.Response) -> None:
        told = f"{who}: {call} -> {answer.status_code} {answer.text[:300]}"
        assert answer.status_code < 500, told
        everything = f"{answer.headers} {answer.text}"
        for user_id in MARKED:
            if mark(user_id) in everything:
                assert user_id in SEEN_BY[who], told
                self.seen.add((who, user_id))
        if who in {NOBODY, WRONG}:
            assert answer.status_code >= 400, told
        template = next(
            path
            for path, methods in self.described.document["paths"].items()
            for one in methods.values()
            if one["operationId"] == call.operation
        )
        media = answer.headers.get("content-type", "")
        if answer.status_code in {404, 405} and "json" not in media:
            raise AssertionError(told)
        validator = self.described.validator(call.method, template, answer.status_code, media)
        if validator is not None:
            assert not [error.message for error in validator.iter_errors(answer.json())], told

    async def mend(self) -> None:
        """Everybody is there as before, and nobody else."""
        directory = self.house.directory
        now = {one.id: one for one in await directory.all_entries()}
        for user_id, entry in MARKED.items():
            if user_id not in now:
                await directory.add_entries([entry])
                if user_id in self.programs:
                    self.programs[user_id] = await self._program(user_id)
            elif _differs(now[user_id], entry):
                await directory.merge_entries([], [(now[user_id], entry)])
        for stranger in now.keys() - MARKED.keys():
            await directory.remove_user(stranger)

    async def furnish(self, home: Path) -> None:
        """Everybody has messages, entries of the journal, and a mail that waits."""
        await self.mend()
        entries, uids = list[str](), list[str]()
        for number, user_id in enumerate(MARKED, start=1):
            caller = Caller("+498912345678", f"Eva {mark(user_id)}")
            for more in (0, 100):
                message = await leave(
                    self.house, home, user_id, number + more, caller=caller, **store_in(home)
                )
                entries.append((await noted(home, message, user_id)).id)
            user = await self.house.directory.user_by_id(user_id)
            assert user
            page = await desk(self.house).page(user)
            uids += [one.uid for one in page.messages]
            values = {"when": BEGAN, "by_admin": False}
            await self.house.post.mails.tell(
                user, SystemMail.PIN_CHANGED, values, occasion="made up"
            )
        for who in (ANNA, BERT, ADAM, OLGA):
            self.programs[who] = await self._program(who)
        self.programs[NOBODY] = Program(self.house.app)
        self.programs[WRONG] = Program(self.house.app, f"vmari_{'0' * 12}_{'x' * 43}", "192.0.2.9")
        (admin,) = [one for one in self.house.portal.parts.more if isinstance(one, AdminParts)]
        await admin.examining.acquire()  # it would ask servers that are not there

        self.described = Described(document(), _known(entries, uids), SLOW, wav(spoken(1.0)))
        self.calls = self.described.calls()
        self.own_calls = self.described.calls("/me")

    async def _program(self, user_id: str) -> Program:
        return Program(self.house.app, (await token(self.house, user_id))[0])


def _known(entries: list[str], uids: list[str]) -> dict[str, list[str]]:
    """Values that mean something in the house."""
    people = [*MARKED, "nobody"]
    numbers = ["+49814247910", "08142 47912", "101", "+491711234567", "110", "none"]
    profiles = ["work", "vacation", "home"]
    return {
        "user": people,
        "id": [*people, "dora", "emil"],
        "uid": [written_id(one) for one in uids],
        "entry": [written_id(one) for one in entries],
        "key": [written_id("mail:1"), written_id("voice:x")],
        "conference": ["0" * 24, "a1"],
        "fax": ["0" * 24, "a1"],
        "spoken": ["0" * 24, "a1"],
        "slot": [*profiles, "name", "internal", "global"],
        "language": ["de", "en", "fr"],
        "setting": list(SETTINGS),
        "value": [*numbers, *profiles, "yes", "no", "de", "lamp", "mail, lamp", "always", "3"],
        "phone": numbers,
        "number": ["08912345678", "+498912345678"],
        "caller": numbers,
        "numbers": ["08142 479 20", "08142 479 21", *numbers],
        "mailbox": ["120", "101", ""],
        "organisation": ["", "north", "south", "nowhere"],
        "profile": profiles,
        "mail": ["", "dora@example.org", "anna@example.org"],
        "folder": ["", "Later"],
        "to": ["", "Later"],
        "find": ["eva", "8912345678", "a", ""],
        "until": ["2026-12-31", "never", "2026-12-31T18:00"],
        "after": [""],
        "name": ["eva", "Eva"],
    }


def _name(operation: Json) -> str:
    return str(operation["operationId"])


def _differs(now: Entry, then: Entry) -> bool:
    """But for what is remembered of the login."""
    return replace(then, bookkeeping=now.bookkeeping, sealed=now.sealed) != now


@contextmanager
def trial(home: Path) -> Iterator[Trial]:
    """A house full of marks."""
    with asyncio.Runner() as runner:
        opened = portal_house(
            home,
            web={"api_requests_per_minute": 100_000},
            asterisk={"url": "http://127.0.0.1:9", "password": "unused"},
            welcome={"enabled": True},
            **store_in(home),
        )
        there = Trial(runner, runner.run(opened.__aenter__()))
        try:
            runner.run(there.furnish(home))
            yield there
        finally:
            runner.run(opened.__aexit__(None, None, None))


def one_round(there: Trial, number: int) -> None:
    """Some requests of everybody in turn: users ask for their own things mostly."""
    decide = settings(
        max_examples=ROUND,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    turn = cycle(TURNS)

    @seed(SEED * 100_000 + number)
    @decide
    @given(there.calls, there.own_calls)
    def send(any_call: Call, own_call: Call) -> None:
        who, own = next(turn)
        there.sends(who, own_call if own else any_call)

    send()


@pytest.mark.feature_part("UM-02", "whatever is asked of the API, nobody is told of others' data")
def test_nothing_breaks_and_nothing_foreign_is_told(tmp_path: Path) -> None:
    with trial(tmp_path) as there:
        end, number = time.monotonic() + SECONDS, 0
        while number < ROUNDS or time.monotonic() < end:
            one_round(there, number)
            number += 1
        reached = {operation for _, operation in there.reached}
        print(f"requests {dict(there.asked)}, answers {dict(sorted(there.told.items()))}")
        every = {one for each in document()["paths"].values() for one in map(_name, each.values())}
        print(f"{len(reached)} operations have answered, not {sorted(every - reached)}")
        print(f"marks seen: {sorted(there.seen)}")
        assert {(ANNA, ANNA), (ADAM, BERT), (OLGA, ANNA)} <= there.seen
        assert not {who for who, whom in there.seen if whom == CORA}
        assert len(reached) > 20
