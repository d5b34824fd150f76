"""Who brings us calls, and what each is for: its first argument names a purpose.

Calls of some purposes the system has made itself; all others are those of callers.
"""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import structlog

from vm_ari.adapters.ari.application import AriApplication, Arrival, Receiver
from vm_ari.config import Config
from vm_ari.dialogues.call_back_call import serve_call_back_call
from vm_ari.dialogues.desk import Desk, Visit
from vm_ari.dialogues.notice_call import serve_notice_call
from vm_ari.dialogues.play_on_phone import serve_playing_call
from vm_ari.dialogues.reception import receive
from vm_ari.dialogues.record_greeting import serve_recording_call
from vm_ari.domain import notice_call, playing_call, recording_call
from vm_ari.domain.callers import caller_from
from vm_ari.domain.greetings import GreetingKey
from vm_ari.domain.notice_call import NoticeCall
from vm_ari.domain.numbers import Site
from vm_ari.domain.playing_call import PlayingCall
from vm_ari.domain.redirection import claims_from, redirection
from vm_ari.speech.language import UnknownLanguage, language
from vm_ari.telephony.call import Call
from vm_ari.telephony.channel import Channel
from vm_ari.wiring.asterisk import asterisk_address

log = structlog.get_logger("vm_ari.app")

Wanted = TypeVar("Wanted")
Serve = Callable[[Channel, Sequence[str], Desk], Awaitable[None]]
"""Serves a call with these arguments to its end."""


@dataclass(frozen=True)
class OwnCall(Generic[Wanted]):
    """A kind of call that the system makes: how its arguments are read, and what is done then."""

    name: str
    wanted_in: Callable[[Sequence[str]], Wanted]
    """Raises `ValueError` where they make no sense."""
    logged: Callable[[Wanted], Mapping[str, str]]
    dialogue: Callable[[Call, Desk, Wanted], Awaitable[None]]
    language: Callable[[Wanted], str] | None = None
    """None: the site's, until it is known who listens."""

    async def serve(self, line: Channel, arguments: Sequence[str], desk: Desk) -> None:
        """To its end; a call that nobody can tell the meaning of is over at once."""
        try:
            wanted = self.wanted_in(arguments)
            spoken = self.language(wanted) if self.language else desk.rules.language
            call = Call(line, language(spoken))
        except (ValueError, UnknownLanguage) as error:
            log.error(f"{self.name} refused", call=line.id, reason=str(error))
            await line.hang_up()
            return
        log.info(self.name, call=line.id, **self.logged(wanted))
        await self.dialogue(call, desk, wanted)


def _greeting(key: GreetingKey) -> Mapping[str, str]:
    return {"owner": key.owner, "slot": key.slot.value}


def _listener(wanted: PlayingCall | NoticeCall) -> Mapping[str, str]:
    return {"user": wanted.owner, "phone": wanted.phone[-3:]}


_RECORDING = OwnCall(
    "recording call",
    recording_call.key_in,
    _greeting,
    serve_recording_call,
    language=lambda key: key.language,
)
_PLAYING = OwnCall("playing call", playing_call.wanted_in, _listener, serve_playing_call)
_CALL_BACK = OwnCall("playing call", playing_call.wanted_in, _listener, serve_call_back_call)
_NOTICE = OwnCall("notice call", notice_call.wanted_in, _listener, serve_notice_call)
OWN_CALLS: Mapping[str, Serve] = {
    recording_call.PURPOSE: _RECORDING.serve,
    playing_call.PURPOSE: _PLAYING.serve,
    playing_call.CALL_BACK: _CALL_BACK.serve,
    notice_call.PURPOSE: _NOTICE.serve,
}
"""By purpose, those that need nothing but the desk."""


def open_application(config: Config, receiver: Receiver) -> AriApplication:
    """What brings calls to *receiver*; nothing is connected yet."""
    return AriApplication(
        asterisk_address(config),
        receiver,
        sounds=config.sounds.absolute(),
        now=time.time,
        app=config.asterisk.app,
        most_calls=config.asterisk.most_calls,
        latest_answer=config.asterisk.latest_answer,
        way=config.asterisk.way,
        endpoint=config.dialling.endpoint,
    )


async def serve_arrival(
    line: Channel, arrival: Arrival, desk: Desk, own_calls: Mapping[str, Serve]
) -> None:
    """Serve one call to its end, one of *own_calls* or that of a caller."""
    purpose = arrival.arguments[0] if arrival.arguments else ""
    if serve := own_calls.get(purpose):
        await serve(line, arrival.arguments, desk)
        return
    purpose, visit = _visit(arrival, desk.rules.site)
    call = Call(line, language(desk.rules.language))
    caller = visit.caller.number[-3:]
    log.info("call", call=line.id, purpose=purpose, mailbox=visit.dialled, caller=caller)
    await receive(call, purpose, visit, desk)


def _visit(arrival: Arrival, site: Site) -> tuple[str, Visit]:
    """What the call is for, and the facts that the dialplan passes with it."""
    padded = (*arrival.arguments, "", "", "", "", "")
    purpose, dialled, exits, presentation, phone, *claims = padded
    withheld = presentation.startswith("prohib")
    caller = caller_from(arrival.caller_number, arrival.caller_name, site, withheld=withheld)
    redirected = redirection(claims_from(claims), site, dialled)
    return purpose, Visit(caller, dialled, exits, phone, redirected, withheld)
