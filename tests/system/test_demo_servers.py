"""The demo on real servers: users from slapd, mailboxes on Dovecot, mails by SMTP."""

import asyncio
import smtplib
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.dovecot import need_dovecot
from tests.patience import AT_MOST, STORY
from tests.slapd import need_slapd
from tests.system.worlds import NewWorld
from vm_ari.cli import main
from vm_ari.demo.directory_server import DirectoryServer
from vm_ari.demo.mail_server import MailServer
from vm_ari.demo.parts import Part
from vm_ari.demo.people import Person
from vm_ari.demo.private_server import ServerMissing, program
from vm_ari.demo.story import tell
from vm_ari.demo.world import DirectoryInUse, World, describe

ANNA = Person("Anna", "101", "de")


@pytest.fixture(autouse=True)
def _servers() -> None:
    need_slapd()
    need_dovecot()


@pytest.mark.slow
@pytest.mark.feature("STORE-01")
@pytest.mark.feature_part("MAIL-05", "IMAP APPEND")
def test_the_whole_story_is_told_on_real_servers(new_world: NewWorld) -> None:
    lines: list[str] = []

    async def story() -> None:
        async with new_world(parts=tuple(Part)) as world:
            assert (await tell(world, lines.append)).startswith("demo ok")
            assert await world.store.mails(world.ben) == []
            told = describe(world)
            assert str(told["ldapsearch"]).startswith("ldapsearch ")
            servers = world.users, world.store
        for server in servers:
            assert isinstance(server, DirectoryServer | MailServer)
            assert not server.is_running

    asyncio.run(asyncio.wait_for(story(), STORY))
    said = "\n".join(lines)
    assert "she is an entry of the directory server: dn: uid=anna,ou=people" in said
    assert "on the mail server it lies among the deleted ones: Sprachnachricht" in said
    assert "Subject: Ihre Mailbox" in said


def on(server: MailServer, story: Callable[[MailServer], Awaitable[None]]) -> None:
    async def run() -> None:
        await server.start()
        try:
            server.add(ANNA)
            await story(server)
        finally:
            await server.stop()

    asyncio.run(run())


def test_a_mail_comes_by_smtp_and_only_to_those_who_are_there(tmp_path: Path) -> None:
    def send(port: int, recipient: str) -> None:
        with smtplib.SMTP("127.0.0.1", port, timeout=AT_MOST) as client:
            client.sendmail("eve@example.org", recipient, "Subject: Hello\r\n\r\nGrüße".encode())

    async def story(server: MailServer) -> None:
        port = int(server.smtp.rpartition(":")[2])
        await asyncio.to_thread(send, port, ANNA.user.mail)
        [mail] = await server.mails(ANNA)
        assert b"Subject: Hello" in mail
        with pytest.raises(smtplib.SMTPResponseException):
            await asyncio.to_thread(send, port, "nobody@demo.example")
        assert len(await server.mails(ANNA)) == 1

    on(MailServer(tmp_path), story)
    assert list(tmp_path.rglob("Maildir/new/*")), "its files stay when it has ended"


def test_what_is_missing_is_named_with_its_package() -> None:
    with pytest.raises(ServerMissing, match="apt-get install slapd"):
        program("no-such-server", "slapd")


def test_a_directory_is_used_by_one_demo_at_a_time(world: World) -> None:
    async def story() -> None:
        before = world.config.read_text()
        second = World(world.asterisk.install, world.directory)
        with pytest.raises(DirectoryInUse, match="a demo is running in"):
            await second.__aenter__()
        assert world.config.read_text() == before
        assert world.controller_pid

    asyncio.run(story())


def test_somebody_elses_directory_is_left_alone(world: World, tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("mine")
    with pytest.raises(DirectoryInUse, match="not empty and no earlier demo"):
        asyncio.run(World(world.asterisk.install, tmp_path).__aenter__())
    assert [path.name for path in tmp_path.iterdir()] == ["letter"]


def test_only_known_parts_can_be_servers() -> None:
    result = CliRunner().invoke(main, ["demo", "--stack", "tape"])
    assert result.exit_code == 2
    assert "write ldap, imap, or both" in result.output
