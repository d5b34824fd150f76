"""Looking users up by number: vm_ari beside other LDAP clients, on one slapd.

    python -m bench.ldap_lookup [--users 10000] [--callers 50] [--lookups 4000] [--rounds 3]

Each side has four connections, and does the same search (filter and attributes) for the same
numbers; so many callers wait at once, as in a storm of calls. vm_ari's time begins with the number
and ends with the user, settings decided; that of the others ends with raw attributes.
"""

import argparse
import asyncio
import importlib
import queue
import random
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.heading import heading
from tests.adapters.ldap_people import OPENLDAP, PEOPLE, SITE, crowd, number_of, settings_of, unit
from tests.slapd import PASSWORD, SERVICE, Slapd, slapd
from vm_ari.adapters.ldap.directory import LdapDirectory
from vm_ari.adapters.sealing import KeyRing
from vm_ari.domain.spellings import spellings

CONNECTIONS = 4
LookUp = Callable[[str], Awaitable[str]]
"""From a number to its owner's id."""


@dataclass
class Figures:
    """What one side did in all rounds."""

    name: str
    times: list[float] = field(default_factory=list)
    alone: list[float] = field(default_factory=list)
    seconds: float = 0.0
    cpu: float = 0.0

    def row(self) -> str:
        """A line of the table."""
        count = len(self.times)
        return (
            f"{self.name:14} {statistics.median(self.alone) * 1000:9.2f} "
            f"{_percentile(self.times, 50):8.2f} {_percentile(self.times, 99):8.2f} "
            f"{count / self.seconds:8.0f} {self.cpu / count * 1000:8.2f}"
        )


HEADER = f"{'':14} {'alone p50':>9} {'p50':>8} {'p99':>8} {'per s':>8} {'CPU':>8}"


def _percentile(values: Sequence[float], percent: int) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)] * 1000


async def _measure(figures: Figures, look_up: LookUp, users: Sequence[int], callers: int) -> None:
    """One round: all callers at once, then one alone."""
    waiting = iter(users)
    began, cpu = time.perf_counter(), time.process_time()
    times = await asyncio.gather(*(_caller(look_up, waiting) for _ in range(callers)))
    figures.seconds += time.perf_counter() - began
    figures.cpu += time.process_time() - cpu
    figures.times += [moment for own in times for moment in own]
    figures.alone += await _caller(look_up, iter(users[:200]))


async def _caller(look_up: LookUp, waiting: Any) -> list[float]:
    times = []
    for user in waiting:
        began = time.perf_counter()
        found = await look_up(number_of(user))
        times.append(time.perf_counter() - began)
        assert found == f"u{user:05}", found
    return times


def _filter(number: str) -> str:
    """What our preset asks for."""
    written = spellings(number, SITE, blanks_matter=False)
    each = "".join(f"(telephoneNumber={_escaped(text)})" for text in written)
    own = f"(vmAriNumber={number})(vmAriMailbox={number})"
    return f"(&{OPENLDAP.user_filter}(|{own}{each}))"


def _escaped(text: str) -> str:
    return text.replace("(", "\\28").replace(")", "\\29")


class PythonLdap:
    """python-ldap: libldap by a C extension; a pool, used by threads."""

    def __init__(self, server: Slapd) -> None:
        self._ldap: Any = importlib.import_module("ldap")
        self._pool: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._threads = ThreadPoolExecutor(CONNECTIONS)
        for _ in range(CONNECTIONS):
            connection = self._ldap.initialize(server.url.replace("localhost", "127.0.0.1"))
            connection.simple_bind_s(SERVICE, PASSWORD)
            self._pool.put(connection)

    async def look_up(self, number: str) -> str:
        """See `LookUp`."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._search, number)

    def _search(self, number: str) -> str:
        connection = self._pool.get()
        try:
            scope, names = self._ldap.SCOPE_SUBTREE, list(OPENLDAP.attributes())
            [(_, attributes)] = connection.search_s(PEOPLE, scope, _filter(number), names)
        finally:
            self._pool.put(connection)
        return str(attributes["uid"][0].decode())

    async def close(self) -> None:
        """Hang up."""
        self._threads.shutdown()


class Ldap3:
    """ldap3's own searching, used as its documentation advises: a safe connection a thread."""

    def __init__(self, server: Slapd) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            self._ldap3: Any = importlib.import_module("ldap3")
        self._pool: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._threads = ThreadPoolExecutor(CONNECTIONS)
        for _ in range(CONNECTIONS):
            there = self._ldap3.Server("127.0.0.1", port=server.port, get_info=self._ldap3.NONE)
            strategy = self._ldap3.SAFE_SYNC
            connection = self._ldap3.Connection(
                there, SERVICE, PASSWORD, client_strategy=strategy, check_names=False
            )
            connection.bind()
            self._pool.put(connection)

    async def look_up(self, number: str) -> str:
        """See `LookUp`."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._search, number)

    def _search(self, number: str) -> str:
        connection = self._pool.get()
        try:
            names = list(OPENLDAP.attributes())
            _, _, [found], _ = connection.search(PEOPLE, _filter(number), attributes=names)
        finally:
            self._pool.put(connection)
        return str(found["raw_attributes"]["uid"][0].decode())

    async def close(self) -> None:
        """Hang up."""
        self._threads.shutdown()


class Bonsai:
    """bonsai: libldap by a C extension, for asyncio."""

    def __init__(self, server: Slapd) -> None:
        self._bonsai: Any = importlib.import_module("bonsai")
        pool: Any = importlib.import_module("bonsai.asyncio")
        client = self._bonsai.LDAPClient(server.url.replace("localhost", "127.0.0.1"))
        client.set_credentials("SIMPLE", user=SERVICE, password=PASSWORD)
        self._pool = pool.AIOConnectionPool(client, minconn=CONNECTIONS, maxconn=CONNECTIONS)

    async def look_up(self, number: str) -> str:
        """See `LookUp`."""
        async with self._pool.spawn() as connection:
            [found] = await connection.search(
                PEOPLE, 2, _filter(number), list(OPENLDAP.attributes())
            )
        return str(found["uid"][0])

    async def close(self) -> None:
        """Hang up."""
        await self._pool.close()


class VmAri:
    """The directory as calls use it."""

    def __init__(self, server: Slapd, keys: Path) -> None:
        self._directory = LdapDirectory(settings_of(server), KeyRing(keys), site=SITE)

    async def look_up(self, number: str) -> str:
        """See `LookUp`."""
        user = await self._directory.user_by_number(number)
        return user.id if user else ""

    async def close(self) -> None:
        """Hang up."""
        await self._directory.close()


Peer = PythonLdap | Bonsai | Ldap3


def _peers(server: Slapd) -> list[Peer]:
    peers: list[Peer] = []
    for peer in (PythonLdap, Bonsai, Ldap3):
        try:
            peers.append(peer(server))
        except ImportError as error:
            print(f"{peer.__name__} is left out: {error}", file=sys.stderr)
    return peers


async def _compare(server: Slapd, keys: Path, options: argparse.Namespace) -> None:
    clients = [VmAri(server, keys), *_peers(server)]
    figures = [Figures(type(client).__name__) for client in clients]
    chance = random.Random(1)
    for _ in range(options.rounds):
        users = [chance.randrange(options.users) for _ in range(options.lookups)]
        for client, own in zip(clients, figures, strict=True):
            await _measure(own, client.look_up, users, options.callers)
    for client in clients:
        await client.close()
    print(
        f"{options.users} users, {options.callers} callers at once, {options.rounds} rounds of "
        f"{options.lookups} look-ups; times and CPU (of the client) in ms"
    )
    print(HEADER, *(own.row() for own in figures), sep="\n")
    ours, *others = figures
    if not others:
        raise SystemExit("no other client is installed: there is nothing to compare")
    for other in others:
        ratios = [
            _percentile(ours.times, percent) / _percentile(other.times, percent)
            for percent in (50, 99)
        ]
        print(f"time of a look-up, vm_ari / {other.name}: p50 {ratios[0]:.2f}, p99 {ratios[1]:.2f}")


def main() -> None:
    """Parse the options and measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--users", type=int, default=10_000)
    parser.add_argument("--callers", type=int, default=50, help="look-ups at once")
    parser.add_argument("--lookups", type=int, default=4000, help="a round and client")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    print(heading(seed=1))
    with (
        tempfile.TemporaryDirectory() as keys,
        slapd(unit("people") + crowd(options.users)) as server,
    ):
        asyncio.run(_compare(server, Path(keys), options))


if __name__ == "__main__":
    main()
