"""What listens to the sound of a channel for us: for a voice while it records, for fax machines.

Both are hooks in the way of the sound (an audio hook, a frame hook). While one is there, Asterisk
does not connect two lines natively, so ISDN is not asked to transfer the call, and all sound goes
through Asterisk (`native_bridge_is_capable` in bridge_native_dahdi.c, `native_rtp_bridge_capable`).
"""

from contextlib import suppress

from vm_ari.adapters.ari.client import ChannelHandle
from vm_ari.adapters.ari.errors import AriError
from vm_ari.telephony.channel import TALK_END_SILENCE

TALK, FAX = "TALK_DETECT(set)", "FAXOPT(faxdetect)"
TOLD = f"{int(TALK_END_SILENCE * 1000)},256"
"""Milliseconds of silence that end a talk, and how loud a voice is at least."""
_OFF = {TALK: ("TALK_DETECT(remove)", ""), FAX: (FAX, "no")}


class Hearing:
    """Of one channel; methods raise `AriError` and `AriUnavailable`."""

    def __init__(self) -> None:
        self._on: set[str] = set()

    async def for_talk(self, line: ChannelHandle) -> None:
        """Tell when somebody begins and ends to talk."""
        self._on.add(TALK)
        await line.set_variable(TALK, TOLD)

    async def for_fax(self, line: ChannelHandle, number: str) -> None:
        """A fax machine's tone leads to the dialplan, which receives it for that mailbox."""
        self._on.add(FAX)
        await line.set_variable("VM_ARI_FAX_NUMBER", number)
        await line.set_variable(FAX, "yes")

    async def end(self, line: ChannelHandle) -> None:
        """No more of it; a hook that stays costs no more than what is told above."""
        while self._on:
            name, value = _OFF[self._on.pop()]
            with suppress(AriError):
                await line.set_variable(name, value)
