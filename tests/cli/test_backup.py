"""``vm-ari backup`` and ``restore``: there and back, whole, and never over anything."""

import asyncio
import io
import itertools
import json
import shutil
import sqlite3
import tarfile
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.site import CliSite
from tests.services.post import Post, on
from vm_ari.adapters.backup.archive import contents
from vm_ari.adapters.backup.contents import BadBackup, Kind, Manifest, Root, place
from vm_ari.adapters.backup.sealing import seal, unseal

PASSPHRASE = "correct horse battery staple"


@pytest.fixture
def house(tmp_path: Path) -> CliSite:
    """Two users with PINs, messages on their way, a greeting, a Maildir, a portal's key."""
    base = tmp_path / "house"
    base.mkdir()
    site = CliSite(base)
    site.configure(
        f'[spool]\ndirectory = "{base}/vm-ari"\n[store]\nmaildir = "{base}/mail"\n'
        f'[greetings]\ndirectory = "{base}/greetings"\n[web]\ndirectory = "{base}/web"\n'
        f'[journal]\nurl = "sqlite:///{base}/journal.db"\narchive = "{base}/archive"\n'
    )
    site.config.chmod(0o600)
    site.run("users", "add", "anna", "name=Anna", "--number", "101", "--new-pin")
    on(Post(base / "vm-ari"), _left)
    kept = {
        "greetings/101/a.wav": b"RIFF",
        "mail/101/cur/1": b"a mail",
        "archive/2025.csv": b"calls",
        "web/portal.key": b"secret",
    }
    for name, content in kept.items():
        (base / name).parent.mkdir(parents=True, exist_ok=True)
        (base / name).write_bytes(content)
    (tmp_path / "passphrase").write_text(f"{PASSPHRASE}\n")
    return site


async def _left(post: Post) -> None:
    post.directory.away = True
    await post.leave("one")
    await post.leave("two")
    await asyncio.sleep(1)


def made(site: CliSite, *more: str) -> Path:
    file = site.base.parent / "backup.tgz"
    site.run("backup", file, "--passphrase-file", site.base.parent / "passphrase", *more)
    return file


def brought(site: CliSite, file: Path, below: Path, *more: str, code: int = 0) -> str:
    passphrase = ("--passphrase-file", site.base.parent / "passphrase")
    result = site.run("restore", file, "--root", below, *passphrase, *more, code=code)
    return result.stdout + result.stderr


def files(below: Path) -> dict[str, bytes]:
    return {str(one.relative_to(below)): one.read_bytes() for one in below.rglob("*")
            if one.is_file()}  # fmt: skip


def test_there_and_back(house: CliSite, tmp_path: Path) -> None:
    file = made(house, "--messages")
    assert file.stat().st_mode & 0o777 == 0o600
    assert PASSPHRASE.encode() not in file.read_bytes()
    below = tmp_path / "other"
    assert "would be brought back: spool" in brought(house, file, below, "-n")
    assert not below.exists(), "a dry run does nothing"
    assert "files were brought back" in brought(house, file, below)
    there = below / house.base.relative_to("/")
    before, after = files(house.base), files(there)
    databases = {"directory.db", "journal.db"}
    lasting = {n for n in before if not n.endswith(("-wal", "-shm", ".lock"))} - databases
    assert {name: after[name] for name in lasting} == {name: before[name] for name in lasting}
    assert (there / "keys").stat().st_mode & 0o777 == 0o700
    assert (there / "vm-ari" / "new").stat().st_mode & 0o7777 == 0o2770
    assert (there / "vm-ari.toml").stat().st_mode & 0o777 == 0o600
    restored = CliSite(there)
    restored.config.write_text(restored.config.read_text().replace(str(house.base), str(there)))
    assert restored.ask("users", "list") == house.ask("users", "list")
    assert "1 secrets sealed anew" in restored.run("keys", "rotate").stdout, "the key opens the PIN"
    assert len(restored.ask("spool", "list")) == 2
    post = on(Post(there / "vm-ari"), lambda post: asyncio.sleep(3700))
    assert sorted(name for name, _ in post.courier.delivered) == ["one", "two"]


def test_nothing_is_overwritten(house: CliSite, tmp_path: Path) -> None:
    file = made(house)
    told = brought(house, file, Path("/"), code=1)
    assert f"in the way: {house.config}" in told
    assert "Nothing was changed" in told
    below = tmp_path / "other"
    stale = below / house.base.relative_to("/") / "directory.db-wal"
    stale.parent.mkdir(parents=True)
    stale.write_bytes(b"of another database")
    assert f"in the way: {stale}" in brought(house, file, below, code=1)
    assert files(below) == {str(stale.relative_to(below)): b"of another database"}
    assert "is there already" in house.run(
        "backup", file, "--without-secrets", code=1
    ).stderr  # fmt: skip


def test_a_link_in_the_way_leads_nowhere(house: CliSite, tmp_path: Path) -> None:
    file, elsewhere, below = made(house), tmp_path / "elsewhere", tmp_path / "other"
    elsewhere.mkdir()
    (below / house.base.parent.relative_to("/")).mkdir(parents=True)
    (below / house.base.relative_to("/")).symlink_to(elsewhere)
    assert "is a link" in brought(house, file, below, code=1)
    assert list(elsewhere.iterdir()) == []


def test_without_the_passphrase_no_secret(house: CliSite, tmp_path: Path) -> None:
    file = made(house)
    (tmp_path / "passphrase").write_text("another one, as long\n")
    assert "another passphrase" in brought(house, file, tmp_path / "other", code=1)
    told = brought(house, file, tmp_path / "public", "--without-secrets")
    assert "brought back" in told
    names = {Path(name).name for name in files(tmp_path / "public")}
    assert "directory.db" in names
    assert not {"0001.key", "vm-ari.toml", "portal.key"} & names
    key = next((house.base / "keys").glob("*.key")).read_bytes()
    with tarfile.open(file) as tar:
        assert not any("key" in one.name or "toml" in one.name for one in tar)
        for one in tar:
            held = tar.extractfile(one)
            assert held is None or key not in held.read()


def test_secrets_can_be_left_out_at_once(house: CliSite) -> None:
    file = house.base.parent / "open.tgz"
    told = house.run("backup", file, "--without-secrets").stdout
    assert "Not in it: the configuration, the keys" in told
    assert f"Not in it: the messages in {house.base}/mail" in told
    assert not any(one.secret for one in contents(file).roots)
    (house.base.parent / "passphrase").write_text("short\n")
    short = ("--passphrase-file", house.base.parent / "passphrase")
    assert "12 characters" in house.run("backup", file, *short, code=2).stderr


def test_what_is_altered_or_cut_is_refused(house: CliSite, tmp_path: Path) -> None:
    file = made(house)
    cut = tmp_path / "cut.tgz"
    cut.write_bytes(file.read_bytes()[:-200])
    assert "was not restored" in brought(house, cut, tmp_path / "x", code=1)
    none = tmp_path / "none.tgz"
    none.write_bytes(b"no archive")
    assert "cannot be read" in brought(house, none, tmp_path / "x", code=1)
    altered = _rewritten(file, tmp_path / "altered.tgz", "spool/new/one/facts.json", b"{}")
    told = brought(house, altered, tmp_path / "x", code=1)
    assert "spool/new/one/facts.json is missing or altered" in told
    assert not (tmp_path / "x").exists()


def _rewritten(file: Path, target: Path, member: str, content: bytes) -> Path:
    with tarfile.open(file) as old, tarfile.open(target, "w:gz") as new:
        for info in old:
            held = old.extractfile(info)
            raw = held.read() if held else b""
            if info.name == member:
                raw, info.size = content, len(content)
            new.addfile(info, io.BytesIO(raw))
    return target


@pytest.mark.parametrize("name", ["spool/../../etc/passwd", "/etc/passwd", "other/x", "spool//x"])
def test_a_hostile_archive_leads_nowhere_else(name: str) -> None:
    roots = {"spool": Root("spool", Path("/srv/vm-ari"), Kind.SPOOL)}
    with pytest.raises(BadBackup):
        place(name, roots)


@pytest.mark.parametrize("change", [{"format": 9}, {"roots": [{"name": "x"}]}, {"digests": 3}])
def test_a_hostile_list_of_contents_is_refused(change: dict[str, object]) -> None:
    good = json.loads(Manifest("1", "2026", []).to_json())
    with pytest.raises(BadBackup):
        Manifest.from_json(json.dumps(good | change).encode())


def test_a_seal_is_bound_to_its_passphrase() -> None:
    sealed = seal(b"secret", PASSPHRASE)
    assert unseal(sealed, PASSPHRASE) == b"secret"
    for broken in (sealed[:20], b"", sealed[:-1] + bytes([sealed[-1] ^ 1])):
        with pytest.raises(BadBackup):
            unseal(broken, PASSPHRASE)


MANY = 60


@pytest.fixture
def busy(house: CliSite) -> Iterator[None]:
    """Somebody writes into the database all the time, and one message after the other is held."""
    stop, spool = threading.Event(), house.base / "vm-ari"
    for number in range(MANY):
        shutil.copytree(spool / "new" / "one", spool / "new" / f"m{number}")

    def work() -> None:
        with closing(sqlite3.connect(house.base / "journal.db")) as db:
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("CREATE TABLE IF NOT EXISTS pairs (a INTEGER, b INTEGER)")
            for number in itertools.count():
                if stop.wait(0.002):
                    return
                with db:
                    db.execute("INSERT INTO pairs VALUES (?, ?)", (number, number))
                    db.execute("UPDATE pairs SET a = a + 1")
                    db.execute("UPDATE pairs SET b = b + 1")
                if number < MANY:
                    (spool / "new" / f"m{number}").rename(spool / "hold" / f"m{number}")

    thread = threading.Thread(target=work)
    thread.start()
    yield
    stop.set()
    thread.join()


@pytest.mark.usefixtures("busy")
def test_it_is_consistent_while_everything_moves(house: CliSite, tmp_path: Path) -> None:
    for turn in range(4):
        file, below = tmp_path / f"backup-{turn}.tgz", tmp_path / f"other-{turn}"
        house.run("backup", file, "--without-secrets")
        brought(house, file, below)
        there = below / house.base.relative_to("/")
        with closing(sqlite3.connect(there / "journal.db")) as db:
            tables = "SELECT count(*) FROM sqlite_master WHERE name = 'pairs'"
            if db.execute(tables).fetchone()[0]:
                halves = db.execute("SELECT count(*) FROM pairs WHERE a != b").fetchone()
                assert halves == (0,), "half of a transaction"
        for number in range(MANY):
            states = [s for s in ("new", "hold") if (there / "vm-ari" / s / f"m{number}").exists()]
            assert len(states) == 1, "there once, wherever it was"
