"""A site for each test."""

import asyncio
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
from vm_ari.wiring.directories import open_register
from vm_ari.wiring.store import open_store

_ANNA = User("anna", "Anna Größe", "101", ("+4930555101",), "anna@example.org")
_WHEN = datetime(2026, 3, 4, 13, 35, tzinfo=UTC)


@pytest.fixture
def site(tmp_path: Path) -> CliSite:
    """Configured, without users."""
    one = CliSite(tmp_path)
    one.configure()
    return one


@pytest.fixture
def people(site: CliSite) -> CliSite:
    """Anna and Bert have mailboxes."""
    site.run("users", "add", "anna", "given=Anna", "surname=Größe", "--number", "101",
             "mail=anna@example.org", "organisation=sales")  # fmt: skip
    site.run("users", "add", "bert", "name=Bert", "--number", "030/555-102")
    return site


@pytest.fixture
def messages(people: CliSite, tmp_path: Path) -> CliSite:
    """Anna has two voice messages, and a mail that nobody lists."""
    people.configure(f'[store]\nmaildir = "{tmp_path}/mail"\n')
    recording = tmp_path / "recording.wav"
    recording.write_bytes(wav(spoken(2.5)))
    facts = CallFacts(
        *("1" * 16, "<1@pbx.example>", "1.1", "+4930555101", "anna"),
        caller=Caller("+4930555102", "Bert\x1b[2J"),
        started=_WHEN,
    )
    later = replace(
        facts, id="2" * 16, message_id="<2@pbx.example>", started=_WHEN + timedelta(hours=1)
    )

    async def deliver() -> None:
        config = load(people.config)
        keys = KeyRing(config.directory.keys)
        register = open_register(config, keys)
        store = open_store(config, keys, register, tmp_path)
        try:
            for one in (facts, replace(later, caller=Caller(), urgent=True)):
                await store.courier.deliver(VoiceMessage(one, str(recording), 2.5), _ANNA)
        finally:
            await store.close()
            await register.close()

    asyncio.run(deliver())
    (tmp_path / "mail" / "101" / "new" / "1.mail").write_text("Subject: Secret\n\n.\n")
    return people
