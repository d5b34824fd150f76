"""``vm-ari check`` looks whether mails to the system are taken."""

import asyncio
from pathlib import Path

import pytest

from tests.adapters.smtp_server import rude_server
from tests.cli.site import CliSite
from vm_ari.adapters.asterisk.ports import free_port
from vm_ari.adapters.findings import Finding
from vm_ari.adapters.mail_listener import MailListener
from vm_ari.config import load
from vm_ari.domain.site_mails import SiteMail
from vm_ari.wiring.check import Part, parts_of
from vm_ari.wiring.site_mails import examine_site_mails


class Desk:
    """Knows nothing and takes nothing."""

    def knows(self, address: str) -> bool:
        return False

    async def take(self, mail: SiteMail) -> None:
        raise AssertionError("nobody was to bring a mail")


def configured(site: CliSite, port: int) -> None:
    site.configure(f'[site_mails]\nlamp_off = "lamp-off@example.org"\nport = {port}\n')


def test_it_says_whether_somebody_takes_mails(tmp_path: Path) -> None:
    site, port = CliSite(tmp_path), free_port()

    async def looked() -> Finding:
        [finding] = await examine_site_mails(load(site.config))
        return finding

    async def story() -> None:
        configured(site, port)
        away = await looked()
        assert away.unreachable
        assert away.text.startswith(f"Nobody takes mails to the system at 127.0.0.1:{port}: ")
        for trusted in ("127.0.0.1", "192.0.2.1"):
            networks = load(site.config).site_mails.model_copy(update={"trusted": (trusted,)})
            listener = MailListener(Desk(), "127.0.0.1", port, networks.networks())
            await listener.open()
            good = await looked()
            listener.close()
            assert good == Finding(
                True, f"Mails to lamp-off@example.org are taken at 127.0.0.1:{port}."
            )
        async with rude_server(_is_something_else) as other:
            configured(site, other)
            strange = await looked()
        assert "answers “SSH-2.0”" in strange.text

    asyncio.run(story())


async def _is_something_else(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"SSH-2.0\r\n")


@pytest.mark.parametrize("lamp_off", ["", "lamp-off@example.org"])
def test_it_is_looked_at_where_there_is_an_address(tmp_path: Path, lamp_off: str) -> None:
    site = CliSite(tmp_path)
    site.configure(f'[site_mails]\nlamp_off = "{lamp_off}"\n')
    assert (Part.SITE_MAILS in parts_of(load(site.config))) is bool(lamp_off)
