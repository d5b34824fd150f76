"""A whole system whose controller reaches Asterisk, directory and mail servers by proxies."""

import asyncio
import email
import email.policy
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from io import BytesIO
from urllib.parse import urlsplit

import numpy as np
import soundfile

from tests.proxy import Proxy, proxy_to
from tests.system.mails import on_their_way
from tests.system.worlds import NewWorld
from vm_ari.adapters.ear import Audio
from vm_ari.demo.parts import Part
from vm_ari.demo.world import Person, World


@dataclass
class House:
    """The world, and the ways that the controller takes."""

    world: World
    asterisk: Proxy
    ldap: Proxy
    imap: Proxy
    smtp: Proxy

    @property
    def ways(self) -> Sequence[Proxy]:
        """All of them."""
        return self.asterisk, self.ldap, self.imap, self.smtp

    def heal(self) -> None:
        """Everything can be reached again."""
        for way in self.ways:
            way.heal()

    async def messages(self, person: Person) -> list[EmailMessage]:
        """Voice messages in the mailbox, as a mail program sees them."""
        parsed = [
            email.message_from_bytes(raw, policy=email.policy.default)
            for raw in await self.world.store.mails(person)
        ]
        return [mail for mail in parsed if mail["X-VM-ARI-Caller"]]

    async def all_is_delivered(self, within: float) -> None:
        """Nothing is on its way any more."""
        async with asyncio.timeout(within):
            while on_their_way(self.world):
                await asyncio.sleep(0.1)

    async def ready(self) -> None:
        """Calls come to the controller again."""
        await self.world.controller_is_back()

    async def restart(self, **settings: str) -> None:
        """The controller, with other lines in its table ``[asterisk]``."""
        text = self.world.config.read_text()
        more = "".join(f'{name} = "{value}"\n' for name, value in settings.items())
        self.world.config.write_text(text.replace("[asterisk]\n", f"[asterisk]\n{more}", 1))
        await self.world.stop_controller()
        await self.world.start_controller()
        self.world.config.write_text(text)


@asynccontextmanager
async def house_of(new_world: NewWorld) -> AsyncIterator[House]:
    """It runs, and its networks are good."""
    async with AsyncExitStack() as stack:
        world = await stack.enter_async_context(new_world(parts=tuple(Part)))
        ports = _ports(world)
        ways = [await stack.enter_async_context(proxy_to(port)) for port in ports]
        text = world.config.read_text()
        for port, way in zip(ports, ways, strict=True):
            assert str(port) in text
            text = text.replace(str(port), str(way.port))
        await world.stop_controller()
        world.config.write_text(text)
        await world.start_controller()
        yield House(world, *ways)


def _ports(world: World) -> list[int]:
    """Of Asterisk's HTTP server, slapd, Dovecot and the SMTP server."""
    ldap, mail = world.users.tables()["directory"]["ldap"], world.store.tables()
    urls = (ldap["servers"][0], mail["imap"]["server"])
    servers = [urlsplit(url).port or 0 for url in urls]
    return [world.asterisk.instance.http_port, *servers, int(mail["mail"]["smtp"]["port"])]


def audio_of(mail: EmailMessage) -> Audio:
    """The attached recording, 8 kHz."""
    [part] = mail.iter_attachments()
    assert isinstance(part, EmailMessage)
    samples, rate = soundfile.read(BytesIO(part.get_content()), dtype="float32")
    assert rate == 8000
    return np.asarray(samples, np.float32)
