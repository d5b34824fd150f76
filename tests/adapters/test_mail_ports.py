"""Whether mails to the system are taken at a port: whatever listens there, the look has an end."""

import asyncio
import gc

import pytest

from tests.adapters.smtp_server import Talk, rude_server
from vm_ari.adapters.examination import mail_ports
from vm_ari.adapters.examination.mail_ports import examine_mail_port


async def _greets(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 pbx.example.org vm-ari\r\n")
    await reader.read()


async def _is_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def _has_no_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 " + b"x" * 1_000_000)
    await reader.read()


async def _is_another(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"SSH-2.0-OpenSSH\r\n")
    await reader.read()


@pytest.mark.parametrize(
    ("talk", "good"),
    [(_greets, True), (_is_silent, False), (_has_no_end, False), (_is_another, False)],
)
def test_whatever_listens_there_is_told_and_let_go(
    talk: Talk, good: bool, monkeypatch: pytest.MonkeyPatch, recwarn: pytest.WarningsRecorder
) -> None:
    monkeypatch.setattr(mail_ports, "_PATIENCE", 60.0 if talk is not _is_silent else 0.3)

    async def story() -> None:
        async with rude_server(talk) as port:
            found = await examine_mail_port("127.0.0.1", port, "fax", "mails", "Mails are taken")
        assert found.good is good
        assert str(port) in found.text

    asyncio.run(story())
    gc.collect()
    assert [str(one.message) for one in recwarn if one.category is ResourceWarning] == []
