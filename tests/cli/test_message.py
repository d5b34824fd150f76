"""Voice messages from the command line: listed, and played on a telephone."""

import socket
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.cli.site import CliSite
from vm_ari.domain.users import User

ANNA = User("anna", "Anna Größe", "101", ("+4930555101",), "anna@example.org")
WHEN = datetime(2026, 3, 4, 13, 35, tzinfo=UTC)


def test_the_voice_messages_of_a_mailbox_are_listed(messages: CliSite) -> None:
    urgent, other = messages.ask("message", "list", "030/555-101")
    assert (urgent["number"], urgent["urgent"], urgent["seconds"]) == ("", True, 2.5)
    assert (other["number"], other["new"]) == ("+4930555102", True)
    assert other["received"] == "2026-03-04T13:35:00+00:00"
    table = messages.run("message", "list", "anna").stdout
    assert table.split()[:4] == ["uid", "received", "number", "name"]
    assert "Secret" not in table
    assert "\x1b" not in table


def test_nobodys_mailbox_is_made_by_looking_into_it(messages: CliSite, tmp_path: Path) -> None:
    """It would belong to the administrator, and the controller could not write into it."""
    assert messages.ask("message", "list", "bert") == []
    assert not (tmp_path / "mail" / "102").exists()


@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        (("list", "otto"), 1, "no user"),
        (("play", "otto", "x"), 1, "no user"),
        (("play", "anna"), 2, "UID"),
        (("play", "anna", "x"), 1, "Asterisk cannot be used"),
        (("play", "anna", "x", "--phone", "call me"), 1, "call me"),
        (("play", "anna", "x", "--phone", "+49900123456"), 1, "rules do not allow it"),
        (("play", "anna", "x", "--phone", "112"), 1, "special"),
    ],
)
@pytest.mark.feature_part("INBOX-14", "another number only by the dialling rules")
@pytest.mark.feature_part("SITE-03", "a message is played on no telephone outside of the table")
def test_what_is_wrong_is_named(
    messages: CliSite, words: tuple[str, ...], code: int, why: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f'[asterisk]\nurl = "http://127.0.0.1:{port}"'
    messages.config.write_text(messages.config.read_text().replace("[asterisk]", url))
    assert why in messages.run("message", *words, code=code).stderr
