"""A channel that we have dialled on behalf of a caller."""

import re
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from vm_ari.adapters.ari.client import AriClient
from vm_ari.adapters.ari.connection import AriEvent
from vm_ari.adapters.ari.errors import AriError, AriUnavailable, NotFound
from vm_ari.adapters.ari.line import CHAIN_VARIABLE, FAR, AriLine, Dial
from vm_ari.domain.callers import Caller
from vm_ari.telephony.channel import Answered, Cause, Event, Leg, LineFault

LEG = "leg"
"""First argument of dialled channels when they are answered; the second is the caller's id."""
ENDPOINT = "Local/{number}@vm-ari-out/n"
"""How a number is dialled: by the dialplan context that the administrator points somewhere."""

_DIALABLE = re.compile(r"\+?[0-9]{1,24}")
NO_CAUSE, NORMAL_CLEARING = 0, 16
_CAUSES = {
    17: Cause.BUSY,
    18: Cause.NO_ANSWER,
    19: Cause.NO_ANSWER,
    21: Cause.REFUSED,
}
"""Q.850: user busy, no user responding, no answer from user, call rejected."""


def leg_prefix(app: str) -> str:
    """How the ids of the channels that we dial begin."""
    return f"{app}-leg-"


def is_leg(channel_id: str, app: str) -> bool:
    """Have we dialled it? The far half of a Local channel goes with its near one."""
    return channel_id.startswith(leg_prefix(app)) and not channel_id.endswith(FAR)


def is_only_dialled(channel_id: str, app: str, channels: Mapping[str, Mapping[str, Any]]) -> bool:
    """Is it a leg, or the far half of one that has not led to a mailbox of ours?

    Asterisk counts all channels that it tells us of among those of our application.
    """
    if is_leg(channel_id, app) or not channel_id.startswith(leg_prefix(app)):
        return is_leg(channel_id, app)
    dialplan = channels.get(channel_id, {}).get("dialplan", {})
    return bool(dialplan.get("app_name") != "Stasis")


class AriLeg(AriLine):
    """Rings, is answered, ends with a cause; then, or in between, a line like any other."""

    def __init__(
        self, app: str, client: Callable[[], AriClient], sounds: Path, *, dial: Dial, owner: AriLine
    ) -> None:
        leg_id = leg_prefix(app) + secrets.token_hex(8)
        super().__init__(leg_id, app, client, sounds, dial=dial)
        self.owner = owner
        self.answered = False
        self.let_go = False
        """Nobody wants it any more: if it is still there, it could not be hung up."""
        self._status = ""

    async def originate(self, leg: Leg, endpoint: str) -> None:
        """Let it ring. Raises `LineFault` where there is no way to the destination."""
        number = leg.destination.dial
        if not _DIALABLE.fullmatch(number):
            raise LineFault("not a number that can be dialled")
        try:
            await self._client().channels.originate(
                endpoint.format(number=number),
                variables={f"__{CHAIN_VARIABLE}": str(leg.chain)},
                app=self._app,
                appArgs=f"{LEG},{self.owner.id}",
                callerId=shown_as(leg.shown),
                timeout=str(leg.seconds),
                channelId=self.id,
                otherChannelId=self.id + FAR,
                originator=self.owner.id,
            )
        except (AriError, AriUnavailable) as error:
            raise LineFault(str(error)) from error

    async def resume(self) -> None:
        """After a gap: was it answered meanwhile?"""
        try:
            channel = await self._client().channels.get(self.id)
        except NotFound:
            self.lost()
            return
        if channel["state"] == "Up":
            self._note_answer()
        await super().resume()

    async def hang_up(self) -> None:
        """See `Channel`."""
        self.let_go = True
        await super().hang_up()

    def _translate(self, event: AriEvent) -> Event | None:
        match event["type"]:
            case "StasisStart":
                self._note_answer()
            case "Dial":
                self._status = str(event.get("dialstatus", ""))
            case "ChannelDestroyed" if not self.answered:
                self._end(cause_of(event, self._status))
            case _:
                return super()._translate(event)
        return None

    def _note_answer(self) -> None:
        if not self.answered:
            self.answered = True
            self._events.put_nowait(Answered())


def cause_of(event: Mapping[str, Any], status: str) -> Cause:
    """Why nobody answered. Many dialplans end without a cause: then, did it ring at all?"""
    cause = int(event.get("cause", NO_CAUSE))
    if status == "BUSY":
        return Cause.BUSY
    if cause in {NO_CAUSE, NORMAL_CLEARING} and event["channel"]["state"] == "Ringing":
        return Cause.NO_ANSWER
    return _CAUSES.get(cause, Cause.UNREACHABLE)


def shown_as(caller: Caller) -> str:
    """As Asterisk reads it: ``"name" <number>``, the name without what could end it."""
    name = re.sub(r'["<>\\,;]', " ", caller.name)
    return f'"{name}" <{caller.number}>' if caller.number else ""
