"""A mass reset beside the plainest way to write the same: users per second.

    python -m bench.mass_reset [--users 5000] [--rounds 3]

On slapd the peer is ldapmodify, fed with the very changes that we make: one connection, nothing
read before, no journal. On the embedded directory it is one committed UPDATE for each user by
sqlite3, as durable as ours. Ours reads each user, compares and swaps, and writes a journal line
before and after; the start of the programs is in neither. Each round has a directory of its own.
"""

import argparse
import asyncio
import sqlite3
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.heading import heading
from tests.adapters.ldap_people import PEOPLE, SITE, crowd, settings_of, unit
from tests.slapd import PASSWORD, SERVICE, Slapd, slapd
from vm_ari.adapters.database import EmbeddedDirectory
from vm_ari.adapters.ldap.directory import LdapDirectory
from vm_ari.adapters.reset_journal import ResetJournal
from vm_ari.adapters.sealing import KeyRing
from vm_ari.adapters.system_clock import SystemClock
from vm_ari.domain.entries import Entry
from vm_ari.domain.mass_reset import Order, sums_of
from vm_ari.services.mass_reset import MassReset

ORDER = Order(new_pin=True)
Directory = LdapDirectory | EmbeddedDirectory


def ours(base: Path, make: Callable[[KeyRing], Directory], users: Sequence[str]) -> float:
    """Seconds from the first line of the journal to the last."""

    async def run() -> float:
        directory = make(KeyRing(base / "keys"))
        await directory.user_by_id(users[0])  # connected
        began = time.perf_counter()
        journal = ResetJournal.create(base / "journal", "bench", ORDER, users)
        await MassReset(directory, journal, ORDER, SystemClock()).run(journal.items)
        taken = time.perf_counter() - began
        assert sums_of(journal.items).done == len(users), sums_of(journal.items)
        journal.close()
        await directory.close()
        return taken

    return asyncio.run(run())


def by_ldapmodify(server: Slapd, base: Path, users: Sequence[str]) -> float:
    """The same changes as LDIF."""
    values = ("revision=1", "welcome=due", "welcome_wish=new-pin")
    added = "\n".join(f"vmAriSetting: {value}" for value in values)
    change = f"changetype: modify\nadd: vmAriSetting\n{added}\n"
    file = base / "changes.ldif"
    file.write_text("\n".join(f"dn: uid={user},{PEOPLE}\n{change}" for user in users))
    command = ["ldapmodify", "-x", "-H", server.url, "-D", SERVICE, "-w", PASSWORD, "-f", str(file)]
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def by_updates(base: Path, users: Sequence[str]) -> float:
    """The same rows, each in a transaction of its own."""
    db = sqlite3.connect(base / "directory.db", isolation_level=None)
    db.execute("PRAGMA synchronous=FULL")
    began = time.perf_counter()
    for user in users:
        text = "language=de;revision=1;welcome=due;welcome_wish=new-pin"
        db.execute("UPDATE users SET texts = ? WHERE id = ?", (text, user))
    taken = time.perf_counter() - began
    db.close()
    return taken


def on_slapd(users: Sequence[str]) -> tuple[float, float]:
    """Ours and the peer's seconds."""
    people = unit("people") + crowd(len(users))
    with tempfile.TemporaryDirectory() as directory, slapd(people) as server:
        settings = settings_of(server)
        own = ours(Path(directory), lambda keys: LdapDirectory(settings, keys, site=SITE), users)
    with tempfile.TemporaryDirectory() as directory, slapd(people) as server:
        return own, by_ldapmodify(server, Path(directory), users)


def on_embedded(users: Sequence[str]) -> tuple[float, float]:
    """Ours and the peer's seconds."""
    with tempfile.TemporaryDirectory() as directory:
        base = Path(directory)
        fill(base, users)
        own = ours(base, lambda keys: EmbeddedDirectory(_url(base), keys), users)
    with tempfile.TemporaryDirectory() as directory:
        fill(Path(directory), users)
        return own, by_updates(Path(directory), users)


def fill(base: Path, users: Sequence[str]) -> None:
    """A database with these users."""

    async def run() -> None:
        directory = EmbeddedDirectory(_url(base), KeyRing(base / "keys"))
        await directory.add_entries(
            [Entry(user, user, settings={"language": "de"}) for user in users]
        )
        await directory.close()

    asyncio.run(run())


def _url(base: Path) -> str:
    return f"sqlite:///{base}/directory.db"


def main() -> None:
    """Parse the options and measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--users", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    users = [f"u{number:05}" for number in range(options.users)]
    print(heading())
    print(f"{options.users} users, {options.rounds} rounds; users per second")
    print(f"{'':10} {'vm_ari':>8} {'peer':>8}")
    kinds = {"slapd": (on_slapd, "ldapmodify"), "embedded": (on_embedded, "UPDATE")}
    for name, (measure, peer) in kinds.items():
        rounds = [measure(users) for _ in range(options.rounds)]
        own, other = (len(users) / statistics.median(side) for side in zip(*rounds, strict=True))
        print(f"{name:10} {own:8.0f} {other:8.0f}")
        ratios = [b / a for a, b in rounds]
        print(f"  vm_ari / {peer}, median of the rounds: {statistics.median(ratios):.2f}")


if __name__ == "__main__":
    main()
