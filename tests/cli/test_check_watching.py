"""``vm-ari check --only watching``: what hears of changes, and what to do where nothing does."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.adapters.test_watching_push import TOKEN, House
from tests.cli.site import CliSite
from tests.cli.test_check_parts import ACCOUNT, checked, problems, with_imap
from tests.dovecot import Dovecot, dovecot
from tests.imap_proxy import imap_proxy
from vm_ari.adapters.examination.watching import examine_inotify, examine_push

PLAIN = f"plaintext = true\n{ACCOUNT}"


@pytest.fixture(scope="module")
def server() -> Iterator[Dovecot]:
    with dovecot("anna", "bert") as running:
        yield running


def test_maildirs_are_watched_by_inotify(people: CliSite, tmp_path: Path) -> None:
    people.configure(f'[store]\nmaildir = "{tmp_path}/mail"\n')
    [line] = checked(people, "watching")
    assert line["what"].startswith("inotify watches all ")
    people.configure(f'[store]\nmaildir = "{tmp_path}/mail"\n[watching]\ninotify = false\n')
    assert checked(people, "watching") == []


def test_too_low_a_limit_comes_with_the_line_to_type(tmp_path: Path) -> None:
    (tmp_path / "max_user_watches").write_text("8192\n")
    [found] = examine_inotify(10_000, tmp_path)
    assert found.text == "inotify watches 4096 of 10000 mailboxes; the rest is polled."
    assert found.advice == "Type as root: sysctl -w fs.inotify.max_user_watches=65536"


def test_a_mail_server_tells_by_idle(people: CliSite, server: Dovecot) -> None:
    [line] = checked(with_imap(people, server.url, PLAIN), "watching")
    assert line["what"].endswith(f"{server.port} tells by IDLE of all 2 mailboxes.")
    few = f"{PLAIN}[watching]\nmost_idle = 1\n"
    [line] = checked(with_imap(people, server.url, few), "watching")
    assert "tells by IDLE of 1 of 2 mailboxes; the others are counted in rounds" in line["what"]


def test_one_without_idle_is_a_problem(people: CliSite, server: Dovecot) -> None:
    with imap_proxy(server.port) as proxy:
        proxy.plan.poor = True
        [found] = problems(checked(with_imap(people, proxy.url, PLAIN), "watching", code=1))
    assert "offers no IDLE" in found[0]
    assert "docs/lamps.md" in found[1]


def test_a_receiver_that_is_not_there_or_not_ours_is_said() -> None:
    house = House()

    async def story(_: object) -> None:
        port = house.receiver.port
        [found] = await examine_push("127.0.0.1", port, TOKEN)
        assert found.good
        assert found.text.endswith(f"http://127.0.0.1:{port}/mailbox-changed.")
        [found] = await examine_push("127.0.0.1", port, "another-token-than-that")
        assert not found.good
        assert "does not know our token (answer 403)" in found.text

    house.tell(story)
    [found] = asyncio.run(examine_push("127.0.0.1", 1, TOKEN))
    assert not found.good
    assert found.text == "Nobody takes pushed changes at 127.0.0.1:1."
