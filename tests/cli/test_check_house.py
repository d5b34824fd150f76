"""``vm-ari check`` of journal, log and portal: what is wrong, and the next command (MAIL-07)."""

import asyncio
import socket
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.journal_contract import entry
from tests.web.browsers import Served, served
from tests.web.portal_house import config_of
from vm_ari.adapters.findings import Finding
from vm_ari.adapters.journal_database import DatabaseJournal
from vm_ari.adapters.live_calls_database import DatabaseLiveCalls
from vm_ari.domain.live_calls import Node
from vm_ari.wiring.check_house import (
    examine_journal,
    examine_log,
    examine_portal_from_outside,
)


def said(findings: Sequence[Finding]) -> list[tuple[bool, str, str]]:
    return [(one.good, one.text, one.advice) for one in findings]


def problems(findings: Sequence[Finding]) -> list[tuple[str, str]]:
    return [(one.text, one.advice) for one in findings if not one.good]


@pytest.mark.feature_part("MAIL-07", "the journal, and which controllers run")
def test_the_journal_is_examined(tmp_path: Path) -> None:
    def look(**journal: Any) -> Sequence[Finding]:
        return asyncio.run(examine_journal(config_of(tmp_path, journal=journal)))

    assert "first start" in said(look())[0][1]
    assert not (tmp_path / "directory.db").exists()
    url, now = f"sqlite:///{tmp_path}/directory.db", datetime.now(UTC)

    async def fill(telephony: str) -> None:
        journal, calls = DatabaseJournal(url), DatabaseLiveCalls(url)
        await journal.write([entry(1)])
        await calls.begin(Node("pbx", now, now, "1", telephony))
        await journal.close()
        await calls.close()

    asyncio.run(fill("Asterisk 22"))
    assert [one.good for one in look(days=0)] == [True, True]
    assert said(look(days=0))[1][1] == "Controllers that run: pbx (Asterisk 22)."
    [(text, advice)] = problems(look(days=1, archive=tmp_path))
    assert "nobody sweeps" in text
    assert advice.startswith("vm-ari journal sweep")
    [(text, advice)] = problems(look(days=0, archive=tmp_path / "none"))
    assert advice.startswith(f"mkdir {tmp_path}/none")
    asyncio.run(fill(""))
    assert ("Controllers that run: pbx (without Asterisk).", "vm-ari check --only asterisk") in (
        problems(look(days=0))
    )
    [(text, advice)] = problems(look(url=f"sqlite:///{tmp_path}"))
    assert "journal.url" in advice


@pytest.mark.feature_part("MAIL-07", "the program's own log")
def test_the_log_is_examined(tmp_path: Path) -> None:
    def look(file: Path) -> tuple[bool, str, str]:
        [found] = said(asyncio.run(examine_log(config_of(tmp_path, logs={"file": file}))))
        return found

    file = tmp_path / "vm-ari.log"
    assert look(file)[0]
    assert "first start" in look(file)[1]
    file.write_text("level=info event=hello\n")
    assert look(file) == (True, "The log can be read: hello.", "")
    good, text, advice = look(tmp_path / "no" / "vm-ari.log")
    assert not good
    assert "No such file" in text
    assert "logs.file" in advice
    good, text, advice = look(tmp_path)
    assert not good


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, Path]]:
    home = tmp_path_factory.mktemp("portal")
    with served(home) as one:
        yield one, home


def outside(home: Path, **web: Any) -> Sequence[Finding]:
    return asyncio.run(examine_portal_from_outside(config_of(home, web=web)))


@pytest.mark.feature_part("MAIL-07", "the portal as a browser reaches it")
def test_the_portal_is_reached_or_it_is_said_who_is_there(portal: tuple[Served, Path]) -> None:
    one, home = portal
    port = one.server.port
    assert said(outside(home, port=port)) == [
        (True, f"The portal answers at https://127.0.0.1:{port}.", ""),
        (True, "Every operator can sign in to the portal.", ""),
    ]
    assert said(outside(home, port=port, address="0.0.0.0"))[0][0]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        free_port = free.getsockname()[1]
        [(text, advice)] = problems(outside(home, port=free_port))
        assert text == f"Nothing answers at https://127.0.0.1:{free_port}."
        assert advice.startswith("vm-ari run")
    [(text, advice)] = problems(outside(home, port=port, tls="off"))
    assert "Something else than the portal answers" in text
    assert "web.port" in advice


@pytest.mark.feature_part("MAIL-07", "operators who cannot sign in to the portal")
def test_operators_who_cannot_sign_in_are_told(portal: tuple[Served, Path]) -> None:
    _, home = portal
    found = problems(outside(home, operators=["olga", "nobody", "cora"], port=0))
    assert found == [
        ("The operator nobody is no user.", "vm-ari users add nobody, or web.operators"),
        (
            "The operator cora has no password for the portal.",
            "vm-ari users set-password cora --link",
        ),
    ]
