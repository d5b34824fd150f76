"""The portal's lists with many users and entries: milliseconds for each page.

    python -m bench.portal [--users 100000] [--entries 1000000] [--missed 100000] [--calls 300]
                           [--log-lines 500000] [--organisations 50] [--rounds 100] [--url URL]
                           [--postgres] [--no-peer]

The pages are asked for over the whole application (session, role, rights, template), without a
network: the list from the beginning and from far back, with searches that find many, one and
nobody, as the operator and as the administrator of one organisation. The peer is the same search
over everything that the directory tells, which is what directories without SQL have to do. Then
journal, live calls, log, notices and missed calls, each filled as given. --postgres starts a server
of its own on this machine for all databases.
"""

import argparse
import asyncio
import os
import random
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from bench.heading import heading
from bench.portal_filling import fill_journal, fill_live_calls, fill_log, fill_missed_calls
from tests.adapters.postgres import postgres, postgres_programs
from tests.web.portal_house import ADAM, ANNA, OLGA, PEOPLE, Browser, House, portal_house
from vm_ari.adapters.user_list import RememberedUserList
from vm_ari.domain.entries import Entry
from vm_ari.domain.user_queries import UserQuery, words_of

BATCH = 10_000
GIVEN = ("Anna", "Bert", "Carla", "Dora", "Emil", "Flora", "Gustav", "Hanna", "Ümit", "Jörg")
SURNAMES = ("Müller", "Schmidt", "Weber", "Hofmann", "Krause", "Lange", "Zimmer", "Özil")


def made(number: int, organisations: int) -> Entry:
    """A user who could be."""
    given, surname = GIVEN[number % len(GIVEN)], SURNAMES[number // 7 % len(SURNAMES)]
    house = number % (organisations + 1)
    return Entry(
        f"user{number:06}",
        f"{given} {surname}",
        f"{700_000 + number}",
        (f"+4930{5_000_000 + number}",),
        f"{given}.{surname}.{number}@example.org".casefold(),
        given,
        surname,
        f"org{house}" if house else "",
    )


async def measured(
    ask: Callable[[int], Awaitable[object]], rounds: int
) -> list[tuple[float, float]]:
    """Milliseconds of each round: by the clock, and of this process's work alone.

    The latter does not depend on what else the machine does; it holds SQLite, not another server.
    """
    found = []
    for number in range(rounds):
        begun, work = time.perf_counter(), time.process_time()
        await ask(number)
        found.append(((time.perf_counter() - begun) * 1000, (time.process_time() - work) * 1000))
    return found


def told(what: str, took: Sequence[tuple[float, float]]) -> None:
    """One line of the table."""
    clock, work = ([one[side] for one in took] for side in (0, 1))
    p95, work95 = (statistics.quantiles(one, n=20)[-1] for one in (clock, work))
    print(
        f"| {what:56} | {statistics.median(clock):8.1f} | {p95:8.1f} | {max(clock):8.1f} "
        f"| {statistics.median(work):8.1f} | {work95:8.1f} |",
        flush=True,
    )


async def pages(house: House, scale: argparse.Namespace) -> None:
    """The table."""
    chance = random.Random(1)
    browsers: dict[str, Browser] = {}
    for who in (OLGA, ADAM):
        browsers[who] = house.browser()
        await browsers[who].signs_in(who)

    def somebody() -> int:
        return chance.randrange(scale.users)

    asked: dict[str, Callable[[], str]] = {
        "first page": lambda: "/users",
        "from a random user on": lambda: f"/users?after=user{somebody():06}",
        "search: a surname that many have": lambda: "/users?q=Weber",
        "search: a surname with umlaut, from far back": lambda: (
            f"/users?q=m%C3%BCller&after=user{scale.users * 9 // 10:06}"
        ),
        "search: one number": lambda: f"/users?q=030+{5_000_000 + somebody()}",
        "search: one mail address": lambda: f"/users?q=.{somebody()}@example.org",
        "search: two words that nobody has": lambda: "/users?q=qqq+zzz",
        "all columns": lambda: "/users?columns=locked&columns=language&columns=profile",
        "one account": lambda: "/users/anna/account",
    }
    heads = ("median", "p95", "worst", "CPU", "CPU p95")
    print(f"| {'page':56} | {' | '.join(f'{one:>8}' for one in heads)} | (ms)")
    for who in (OLGA, ADAM):
        for what, address in asked.items():
            if who == ADAM and what == "one account":
                continue

            async def ask(_round: int, browser: Browser = browsers[who], at: Any = address) -> None:
                assert (await browser.sees(at())).status_code == 200

            role = "operator" if who == OLGA else "administrator"
            told(f"{role}: {what}", await measured(ask, scale.rounds))
    if scale.peer:
        await peer(house, scale)


def overviews(somebody: Callable[[], int]) -> dict[str, Callable[[], str]]:
    """Those of administrators beside the list of users."""
    return {
        "journal of a random user": lambda: f"/users/user{somebody():06}/journal",
        "journal of everybody": lambda: "/journal",
        "journal of everybody, messages": lambda: "/journal?kind=message-received",
        "live calls": lambda: "/live-calls",
        "live calls, the list that is asked for again": lambda: "/live-calls/list",
        "log, the newest lines": lambda: "/logs",
        "log of a random user": lambda: f"/logs?user=user{somebody():06}",
        "log, a kind that is rare": lambda: "/logs?kind=wrong-pin",
        "notices of everybody": lambda: "/notices",
        "notices of a random user": lambda: f"/users/user{somebody():06}/notices",
        "missed calls of everybody": lambda: "/missed-calls",
        "missed calls of a random user": lambda: f"/missed-calls?user=user{somebody():06}",
        "missed calls from far back": lambda: "/missed-calls?before=2026-01-01T00:00:00Z",
        "delivery queue": lambda: "/queue",
        "system": lambda: "/system",
    }


async def overview_pages(house: House, scale: argparse.Namespace) -> None:
    """The table goes on; of a user whom the visitor may not see there is no page."""
    chance, house_of = random.Random(5), scale.organisations + 1

    def of_no_organisation() -> int:
        return int(chance.randrange(scale.users // house_of) * house_of)

    def of_org1() -> int:
        return int(chance.randrange(scale.users // house_of) * house_of) + 1

    for who, somebody in ((OLGA, of_no_organisation), (ADAM, of_org1)):
        browser, role = house.browser(), "operator" if who == OLGA else "administrator"
        await browser.signs_in(who)
        for what, address in overviews(somebody).items():
            status = (await browser.sees(address())).status_code
            if status != 200:
                print(f"| {role}: {what} | not for this role: {status}")
                continue

            async def ask(_round: int, browser: Browser = browser, at: Any = address) -> None:
                assert (await browser.sees(at())).status_code == 200

            told(f"{role}: {what}", await measured(ask, scale.rounds))


async def peer(house: House, scale: argparse.Namespace) -> None:
    """Without SQL: everything is read, and looked through."""
    everybody = frozenset(["", *(f"org{n}" for n in range(scale.organisations + 1))])
    query = UserQuery(everybody, words_of("qqq zzz"))

    async def ask(_round: int) -> None:
        await RememberedUserList(house.directory).page(query)

    told("peer: everybody read, search in memory", await measured(ask, 5))


async def run(scale: argparse.Namespace) -> None:
    """Fill the directory, and ask."""
    houses: dict[str, Any] = {
        f"org{n}": {"data_processing_agreement": "2026-01-01"} for n in range(1, 40)
    }
    houses["org1"] = {"administrators": [ADAM]}
    tables: dict[str, Any] = {"organisations": houses}
    with ExitStack() as closing:
        home = closing.enter_context(tempfile.TemporaryDirectory())
        tables["logs"] = {"file": Path(home) / "vm-ari.log"}
        url = scale.url or f"sqlite:///{home}/directory.db"
        if scale.postgres:
            programs = postgres_programs()
            assert programs, "no PostgreSQL here"
            url = closing.enter_context(postgres(programs))
        tables["directory"] = {"url": url}
        async with portal_house(Path(home), **tables) as house:
            for first in range(0, scale.users, BATCH):
                last = min(first + BATCH, scale.users)
                await house.directory.add_entries(
                    [made(number, scale.organisations) for number in range(first, last)]
                )
            if scale.postgres or scale.url:
                await signed_up(house)
            print(f"{scale.users} users of {scale.organisations} organisations; {url[:10]}…")
            await pages(house, scale)
            began = time.monotonic()
            fill_journal(url, scale.entries, scale.users)
            fill_missed_calls(url, scale.missed, scale.users)
            await fill_live_calls(house, scale.calls, scale.users)
            fill_log(Path(home) / "vm-ari.log", scale.log_lines, scale.users)
            print(
                f"{scale.entries} entries, {scale.missed} missed calls, {scale.calls} live calls, "
                f"{scale.log_lines} lines of log, filled in {time.monotonic() - began:.0f} s; "
                f"load {' '.join(f'{one:.1f}' for one in os.getloadavg())}"
            )
            await overview_pages(house, scale)
            print(f"load at the end {' '.join(f'{one:.1f}' for one in os.getloadavg())}")


async def signed_up(house: House) -> None:
    """Those who sign in, in a database that is empty."""
    await house.directory.add_entries([one for one in PEOPLE if one.id in {OLGA, ADAM, ANNA}])
    for name in (OLGA, ADAM):
        await house.sets_password(name)


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--users", type=int, default=100_000)
    parser.add_argument("--organisations", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--missed", type=int, default=100_000)
    parser.add_argument("--calls", type=int, default=300)
    parser.add_argument("--log-lines", type=int, default=500_000)
    parser.add_argument("--url", default="")
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--no-peer", dest="peer", action="store_false")
    print(heading(seed=1))
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
