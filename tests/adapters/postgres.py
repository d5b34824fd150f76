"""A PostgreSQL of our own on a free socket: one for all tests of a worker that want a database.

A plugin (`tests/conftest.py` names it), so that it is one for all test modules.
"""

import itertools
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

import pytest
from sqlalchemy import create_engine

from tests.patience import AT_MOST

_ACCOUNT = "nobody"
"""PostgreSQL refuses to run as root."""
_PATIENCE = AT_MOST
_DATABASES = itertools.count()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of its first database. Skips the test where it, or its driver, is missing."""
    programs = postgres_programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed")
    pytest.importorskip("psycopg")
    with postgres(programs) as url:
        yield url


@pytest.fixture(scope="module")
def postgres_url(postgres_server: str) -> Iterator[str]:
    """The URL of an empty database there, for the tests of one module."""
    name = f"tests{next(_DATABASES)}"
    _run(postgres_server, f"CREATE DATABASE {name}")
    yield postgres_server.replace("/postgres?", f"/{name}?")
    _run(postgres_server, f"DROP DATABASE {name} WITH (FORCE)")


def _run(url: str, command: str) -> None:
    """Databases are made and dropped outside of transactions."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(command)
    engine.dispose()


def postgres_programs() -> Path | None:
    """Where initdb and postgres are: Debian keeps them out of the PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found and (there := shutil.which("initdb")):
        found = [Path(there)]
    return found[-1].resolve().parent if found else None


@contextmanager
def postgres(programs: Path) -> Iterator[str]:
    """The SQLAlchemy URL of an empty server that listens on a Unix socket only."""
    account = _ACCOUNT if os.getuid() == 0 else None
    base = Path(mkdtemp(prefix="vm-ari-postgres-", dir="/tmp"))
    if account:
        shutil.chown(base, account)
    data = base / "data"
    init: list[str | Path] = [
        programs / "initdb",
        "-D",
        data,
        "-U",
        "vmari",
        "-A",
        "trust",
        "--no-sync",
    ]
    subprocess.run(init, check=True, user=account, cwd=base, stdout=subprocess.DEVNULL)
    run: list[str | Path] = [programs / "postgres", "-D", data, "-k", base, "-h", "", "-F"]
    server = subprocess.Popen(run, user=account, cwd=base, stderr=subprocess.DEVNULL)
    try:
        _wait_for(data / "postmaster.pid", server)
        yield f"postgresql+psycopg://vmari@/postgres?host={base}"
    finally:
        server.send_signal(signal.SIGINT)  # SIGTERM waits for connections that a failed test left
        server.wait()
        shutil.rmtree(base)


def _wait_for(state: Path, server: "subprocess.Popen[bytes]") -> None:
    """Until it takes connections, which is later than its socket is there."""
    end = time.monotonic() + _PATIENCE
    while not (state.exists() and state.read_text().rstrip().endswith("ready")):
        assert server.poll() is None, "PostgreSQL has ended"
        assert time.monotonic() < end, "PostgreSQL does not start"
        time.sleep(0.05)
