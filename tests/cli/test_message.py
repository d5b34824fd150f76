"""Voice messages from the command line: listed, and played on a telephone."""

import asyncio
import socket
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.cli.site import CliSite
from tests.recordings import spoken, wav
from vm_ari.adapters.sealing import KeyRing
from vm_ari.config import load
from vm_ari.domain.callers import Caller
from vm_ari.domain.messages import CallFacts, VoiceMessage
from vm_ari.domain.users import User
from vm_ari.wiring import open_register
from vm_ari.wiring_store import open_store

ANNA = User("anna", "Anna Größe", "101", ("+4930555101",), "anna@example.org")
WHEN = datetime(2026, 3, 4, 13, 35, tzinfo=UTC)


@pytest.fixture
def messages(people: CliSite, tmp_path: Path) -> CliSite:
    """Anna has two voice messages, and a mail that nobody lists."""
    people.configure(f'[store]\nmaildir = "{tmp_path}/mail"\n')
    recording = tmp_path / "recording.wav"
    recording.write_bytes(wav(spoken(2.5)))
    facts = CallFacts(
        *("1" * 16, "<1@pbx.example>", "1.1", "+4930555101", "anna"),
        caller=Caller("+4930555102", "Bert\x1b[2J"),
        started=WHEN,
    )
    later = replace(
        facts, id="2" * 16, message_id="<2@pbx.example>", started=WHEN + timedelta(hours=1)
    )

    async def deliver() -> None:
        config = load(people.config)
        keys = KeyRing(config.directory.keys)
        register = open_register(config, keys)
        store = open_store(config, keys, register, tmp_path)
        try:
            for one in (facts, replace(later, caller=Caller(), urgent=True)):
                await store.courier.deliver(VoiceMessage(one, str(recording), 2.5), ANNA)
        finally:
            await store.close()
            await register.close()

    asyncio.run(deliver())
    (tmp_path / "mail" / "101" / "new" / "1.mail").write_text("Subject: Secret\n\n.\n")
    return people


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
