"""The lamp through ARI: by its own mailboxes where they are built, else by MinivmMWI."""

import asyncio
import secrets

from vm_ari.adapters.ari.client import AriClient
from vm_ari.adapters.ari.errors import AriError, AriUnavailable, NotFound
from vm_ari.adapters.lamps.method import CONTEXT, LampCounts, LampNotTold, LampRefused

MAILBOXES_MODULE = "res_ari_mailboxes.so"
MINIVM_MODULE = "app_minivm.so"
CONFLICT, ABSENT = 409, 404
PAUSES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.3, 0.5, 1.0)
"""Seconds to wait for the channel before; it takes 1 to 3 ms."""
NO_DIALPLAN = "the dialplan of asterisk-conf/extensions_vm_ari.conf is not loaded"


class AriMailboxes:
    """``PUT /mailboxes`` (ARI reference, "Mailboxes"): state that survives Asterisk's restart."""

    def __init__(self, client: AriClient) -> None:
        self._client = client

    async def tell(self, mailbox: str, counts: LampCounts) -> None:
        """See `Method`."""
        try:
            await self._client.mailboxes.update(
                f"{mailbox}@{CONTEXT}", old=counts.old, new=counts.new
            )
        except AriUnavailable as error:
            raise LampNotTold(str(error)) from error
        except AriError as error:
            raise LampRefused(f"ARI's mailboxes answer {error}") from error

    async def close(self) -> None:
        """See `Method`."""


class Minivm:
    """``MinivmMWI()`` in the dialplan, on a Local channel that ends with it.

    Asterisk runs such channels side by side, so the second of two quick ones may be the first to
    arrive. Therefore each mailbox has one channel id, and the next channel waits until the one
    before it is gone. Asterisk itself refuses an id that is in use (409), also to another
    controller, but does not free the memory then: so it is asked first.
    """

    def __init__(self, client: AriClient) -> None:
        self._client = client
        self._begun: dict[str, float] = {}
        """Mailboxes told in the last seconds, and when; the oldest first."""

    async def tell(self, mailbox: str, counts: LampCounts) -> None:
        """See `Method`."""
        if not mailbox.removeprefix("+")[:1].isdigit():
            raise LampRefused("the dialplan knows mailboxes that begin with a digit, or + and one")
        try:
            for pause in PAUSES:
                if await self._begin(mailbox, counts):
                    return
                await asyncio.sleep(pause)
        except AriUnavailable as error:
            raise LampNotTold(str(error)) from error
        except AriError as error:
            raise LampRefused(
                NO_DIALPLAN if error.status == ABSENT else f"no Local channel: {error}"
            ) from error
        raise LampNotTold(f"an earlier channel for this lamp stays for {sum(PAUSES):.0f} s")

    async def close(self) -> None:
        """See `Method`."""

    async def _begin(self, mailbox: str, counts: LampCounts) -> bool:
        """Start the channel; False if the one before it is still there."""
        channel_id = f"vm-ari-lamp-{mailbox}"
        if self._told_lately(mailbox) and await self._is_there(channel_id):
            return False
        self._begun.pop(mailbox, None)
        self._begun[mailbox] = asyncio.get_running_loop().time()
        extension = f"{mailbox}-{counts.new}-{counts.old}"
        try:
            await _run(self._client, f"{extension}@vm-ari-mwi", channel_id)
        except AriError as error:
            if error.status == CONFLICT:
                return False
            raise
        return True

    def _told_lately(self, mailbox: str) -> bool:
        long_ago = asyncio.get_running_loop().time() - sum(PAUSES)
        while self._begun and next(iter(self._begun.values())) < long_ago:
            del self._begun[next(iter(self._begun))]
        return mailbox in self._begun

    async def _is_there(self, channel_id: str) -> bool:
        try:
            await self._client.channels.get(channel_id)
        except NotFound:
            return False
        return True


async def dialplan_is_there(client: AriClient) -> bool:
    """Is our dialplan loaded? Starts a channel that ends at once. Raises as `AriClient` does."""
    try:
        await _run(client, "s@vm-ari-end", f"vm-ari-lamps-{secrets.token_hex(8)}")
    except NotFound:
        return False
    return True


async def _run(client: AriClient, where: str, channel_id: str) -> None:
    """Send a Local channel through the dialplan at *where*, which does not answer it.

    A context that does not exist is no error to Asterisk. A label is: it is looked up first, so
    the one where an answered channel would go on makes a missing dialplan show.
    """
    await client.channels.originate(
        f"Local/{where}/n",
        context="vm-ari-end",
        extension="s",
        label="hangup",
        channelId=channel_id,
        formats="slin",  # any one: nothing is ever said, and none has to be chosen
    )
