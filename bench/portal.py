"""The portal's list of users with many of them: milliseconds for each page.

    python -m bench.portal [--users 100000] [--organisations 50] [--rounds 100] [--url URL]

The pages are asked for over the whole application (session, role, rights, template), without a
network: the list from the beginning and from far back, with searches that find many, one and
nobody, as the operator and as the administrator of one organisation. The peer is the same search
over everything that the directory tells, which is what directories without SQL have to do.
Pages of the journal are measured by `bench.journal`.
"""

import argparse
import asyncio
import random
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from tests.web.portal_house import ADAM, OLGA, Browser, House, portal_house
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


async def measured(ask: Callable[[int], Awaitable[object]], rounds: int) -> list[float]:
    """Milliseconds of each round."""
    found = []
    for number in range(rounds):
        begun = time.perf_counter()
        await ask(number)
        found.append((time.perf_counter() - begun) * 1000)
    return found


def told(what: str, took: Sequence[float]) -> None:
    """One line of the table."""
    p95 = statistics.quantiles(took, n=20)[-1]
    print(f"| {what:52} | {statistics.median(took):8.1f} | {p95:8.1f} | {max(took):8.1f} |")


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
    print(f"| {'page':52} | {'median':>8} | {'p95':>8} | {'worst':>8} | (ms)")
    for who in (OLGA, ADAM):
        for what, address in asked.items():
            if who == ADAM and what == "one account":
                continue

            async def ask(_round: int, browser: Browser = browsers[who], at: Any = address) -> None:
                assert (await browser.sees(at())).status_code == 200

            role = "operator" if who == OLGA else "administrator"
            told(f"{role}: {what}", await measured(ask, scale.rounds))
    await peer(house, scale)


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
    if scale.url:
        tables["directory"] = {"url": scale.url}
    with tempfile.TemporaryDirectory() as home:
        async with portal_house(Path(home), **tables) as house:
            for first in range(0, scale.users, BATCH):
                last = min(first + BATCH, scale.users)
                await house.directory.add_entries(
                    [made(number, scale.organisations) for number in range(first, last)]
                )
            print(f"{scale.users} users of {scale.organisations} organisations")
            await pages(house, scale)


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--users", type=int, default=100_000)
    parser.add_argument("--organisations", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--url", default="")
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
