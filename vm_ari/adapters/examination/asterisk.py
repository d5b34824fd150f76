"""Asterisk: its REST interface, our account there, our dialplan, and the lamps."""

import os
import secrets
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

import aiohttp

from vm_ari.adapters.ami.client import AmiClient, AmiError, AmiUnavailable
from vm_ari.adapters.ari.client import AriClient
from vm_ari.adapters.ari.connection import BEAT_VARIABLE
from vm_ari.adapters.ari.errors import AriError, AriUnavailable, NotFound
from vm_ari.adapters.ari.transport import ANSWER_SECONDS, Address, HttpTransport
from vm_ari.adapters.findings import Finding, Mending, sentence
from vm_ari.adapters.lamps.choice import LampSettings, MethodName, probe

NEEDED = (
    "app_playback",
    "app_record",
    "app_stack",
    "app_stasis",
    "format_wav",
    "func_base64",
    "func_callerid",
    "func_channel",
    "func_cut",
    "func_dialplan",
    "func_env",
    "func_global",
    "func_logic",
    "func_strings",
    "func_timeout",
    "pbx_config",
    "res_ari_bridges",
    "res_ari_channels",
    "res_ari_events",
    "res_ari_playbacks",
    "res_ari_recordings",
    "res_stasis_playback",
    "res_stasis_recording",
)
"""Modules without which no call is served, or the dialplan takes no message by itself."""
CONTEXTS = {
    "vm-ari-leave": "enter",
    "vm-ari-login": "enter",
    "vm-ari-common": "enter",
    "vm-ari-fallback": "number",
    "vm-ari-record": "named",
    "vm-ari-end": "hangup",
}
"""Those of our dialplan that calls come to, each with a label of its extension ``s``."""
_SILENT_SECONDS = 3
"""After so long without a heartbeat the dialplan takes messages by itself."""
_NOBODY = "vm-ari-check-nobody"
_UNAUTHORISED, _FORBIDDEN = 401, 403


@asynccontextmanager
async def client_of(address: Address) -> AsyncIterator[AriClient]:
    """Requests over HTTP, each with a time-out."""
    async with aiohttp.ClientSession(
        headers=address.authorization(), timeout=aiohttp.ClientTimeout(total=ANSWER_SECONDS)
    ) as session:
        yield AriClient(HttpTransport(session, address))


async def examine_asterisk(address: Address, app: str) -> list[Finding]:
    """Can calls be served?"""
    try:
        async with client_of(address) as client:
            info = await client.asterisk.info()
            version = str(info.get("system", {}).get("version", "of unknown version"))
            good = Finding(True, f"Asterisk {version} answers at {address.url} and knows our user.")
            return [good, *await _details(client, address, app)]
    except AriUnavailable as error:
        advice = "Is it running, is its HTTP server enabled (http.conf), and is asterisk.url right?"
        text = f"Asterisk does not answer at {address.url}: {_reason(error)}."
        return [Finding(False, text, advice, unreachable=True)]
    except AriError as error:
        return [_refusal(address, error)]


def _reason(error: AriUnavailable) -> str:
    """Without the inside of the library's error."""
    match error.__cause__:
        case aiohttp.ClientConnectorError(os_error=cause):
            return os.strerror(cause.errno) if cause.errno else str(cause)
        case TimeoutError():
            return "no answer in time"
        case None:
            return str(error).rstrip(".")
        case other:
            return str(other) or type(other).__name__


def _refusal(address: Address, error: AriError) -> Finding:
    if error.status == _UNAUTHORISED:
        text = f"Asterisk does not know {address.user} with this password."
        return Finding(False, text, "Compare asterisk.user and password with ari.conf.")
    if isinstance(error, NotFound):
        text = "There is no REST interface at this address."
        return Finding(False, text, "Load res_ari.so, and enable it in ari.conf.")
    return Finding(False, f"Asterisk answers {sentence(error)}", "Look at ari.conf.")


async def _details(client: AriClient, address: Address, app: str) -> list[Finding]:
    found = []
    running = await client.asterisk.running_modules()
    lacking = [name for name in NEEDED if f"{name}.so" not in running]
    if lacking:
        found.append(lacks_modules(address, lacking))
    if not await _may_change(client):
        text = f"{address.user} may only look, so no call can be served."
        found.append(Finding(False, text, "Remove read_only from that user in ari.conf."))
    elif absent := [name for name in CONTEXTS if not await has_label(client, name)]:
        found.append(_no_dialplan(address, absent))
    if not await _controller_runs(client, app):
        text = f"No controller is connected as {app}: the dialplan takes messages by itself."
        found.append(Finding(False, text, "Start it: vm-ari run."))
    elif await _is_silent(client):
        text = f"Somebody is connected as {app}, but no heartbeat comes: calls are not served."
        advice = "The controller hangs (restart it), or another program uses that asterisk.app."
        found.append(Finding(False, text, advice))
    return found


def lacks_modules(address: Address, modules: Sequence[str], whose: str = "") -> Finding:
    """*whose*: what needs them, before the sentence; mended by loading them."""

    async def load() -> None:
        async with client_of(address) as client:
            for name in modules:
                await client.asterisk.load_module(f"{name}.so")

    text = f"{whose}Asterisk runs without {', '.join(modules)}."
    advice = f"Type: asterisk -rx 'module load {modules[0]}.so', and load it in modules.conf, too."
    return Finding(False, text, advice, mending=Mending(f"load {' '.join(modules)}", load))


def reloading(address: Address) -> Mending:
    """The dialplan is read again: what its file includes already is there then."""

    async def reload() -> None:
        async with client_of(address) as client:
            await client.asterisk.reload_module("pbx_config.so")

    return Mending("reload the dialplan", reload)


def _no_dialplan(address: Address, absent: Sequence[str]) -> Finding:
    text = "Our dialplan is not loaded."
    if len(absent) < len(CONTEXTS):
        text = f"Our dialplan is not loaded as it is shipped: it lacks [{'], ['.join(absent)}]."
    advice = "Include asterisk-conf/extensions_vm_ari.conf, and reload the dialplan."
    return Finding(False, text, advice, mending=reloading(address))


async def has_label(client: AriClient, context: str, extension: str = "s", label: str = "") -> bool:
    """Is that context of ours there?

    A label is looked up before a channel is made, which ends at once, and runs nowhere. Raises
    `AriError`, `AriUnavailable`.
    """
    channel_id = f"vm-ari-check-{secrets.token_hex(8)}"
    try:
        await client.channels.originate(
            "Local/s@vm-ari-end/n",
            context=context,
            extension=extension,
            label=label or CONTEXTS[context],
            channelId=channel_id,
            formats="slin",
        )
    except NotFound:
        return False
    with suppress(AriError):
        await client.channels.handle(channel_id).hangup()
    return True


async def _is_silent(client: AriClient) -> bool:
    """As the dialplan sees it. A clock that differs is told of elsewhere."""
    beat = await client.asterisk.get_global_variable(BEAT_VARIABLE)
    return not beat.isdigit() or time.time() - int(beat) > _SILENT_SECONDS


async def _may_change(client: AriClient) -> bool:
    """Hang up a channel that does not exist: who may only look is refused before that is seen."""
    try:
        await client.channels.handle(_NOBODY).hangup()
    except NotFound:
        return True
    except AriError as error:
        if error.status == _FORBIDDEN:
            return False
        raise
    return True


async def _controller_runs(client: AriClient, app: str) -> bool:
    try:
        await client.applications.get(app)
    except NotFound:
        return False
    return True


async def examine_lamps(address: Address, settings: LampSettings) -> list[Finding]:
    """Can phones be told about their lamps?"""
    found = [await _manager(settings)] if settings.manager else []
    try:
        async with client_of(address) as client:
            choice = await probe(client, settings)
    except (AriError, AriUnavailable) as error:
        reason = _reason(error) if isinstance(error, AriUnavailable) else str(error)
        text = f"Nobody knows which ways there are: {reason}."
        return [*found, Finding(False, text, "Mend asterisk first.", follows="asterisk")]
    why = "; ".join(f"{name.value}: {word}" for name, word in choice.why.items())
    if choice.method is None:
        advice = "Load app_minivm.so and our dialplan, or configure [lamps]."
        return [*found, Finding(False, f"There is no way to light lamps ({why}).", advice)]
    if choice.method is MethodName.AMI and not await _may_notify(settings):
        text = f"{settings.manager and settings.manager.user} may not light lamps (PJSIPNotify)."
        advice = "Write write = reporting,system for that account in manager.conf."
        return [*found, Finding(False, text, advice)]
    return [*found, Finding(True, f"Lamps are lit by {choice.method.value}.")]


async def _may_notify(settings: LampSettings) -> bool:
    """Nobody has that endpoint; an account without the right hears of the right instead."""
    assert settings.manager
    client = AmiClient(settings.manager)
    try:
        await client.act("PJSIPNotify", {"Endpoint": _NOBODY, "Variable": "Event=none"})
    except AmiError as error:
        return "Permission" not in str(error)
    except AmiUnavailable:
        return True  # that is another finding
    finally:
        await client.close()
    return True


async def _manager(settings: LampSettings) -> Finding:
    assert settings.manager
    client = AmiClient(settings.manager)
    where = f"The manager interface at {settings.manager.host}:{settings.manager.port}"
    try:
        await client.act("Ping", {})
    except (AmiUnavailable, AmiError) as error:
        advice = "Is it enabled (manager.conf), and are manager.user and its secret right?"
        return Finding(False, f"{where} cannot be used: {sentence(error)}", advice)
    finally:
        await client.close()
    return Finding(True, f"{where} knows {settings.manager.user}.")
