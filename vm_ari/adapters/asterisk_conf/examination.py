"""What can be wrong between Asterisk and us on this machine, beside what ARI's own answers tell."""

import pwd
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from vm_ari.adapters.ari.client import AriClient
from vm_ari.adapters.ari.errors import AriError
from vm_ari.adapters.asterisk_conf.reading import Site, may_read
from vm_ari.adapters.asterisk_conf.texts import SESSIONS, is_yes
from vm_ari.adapters.asterisk_conf.wishes import Plan
from vm_ari.adapters.findings import Finding

_CODECS = ("codec_alaw", "codec_ulaw", "codec_resample", "format_wav")
_WIDE = "codec_g722"
_SERVICES = {
    "faxes": ("res_fax", "res_fax_spandsp", "app_originate"),
    "conferences": ("bridge_softmix",),
}
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_FALLBACK = "fallback-greeting.wav"


@dataclass(frozen=True)
class Running:
    """What a running Asterisk tells of itself."""

    modules: frozenset[str]
    user: str
    """Empty where it does not say so."""
    spool: str
    sounds: str
    language: str


async def ask(client: AriClient) -> Running:
    """Raises `AriError`, `AriUnavailable`."""
    info = await client.asterisk.info()
    config: dict[str, Any] = info.get("config") or {}
    names = ("ASTSPOOLDIR", "VM_ARI_SOUNDS", "VM_ARI_LANGUAGE")
    spool, sounds, language = [await _global(client, name) for name in names]
    return Running(
        frozenset(await client.asterisk.running_modules()),
        str((config.get("setid") or {}).get("user") or ""),
        spool,
        sounds or "/usr/share/vm-ari/sounds",
        language or "en",
    )


async def _global(client: AriClient, name: str) -> str:
    try:
        return await client.asterisk.get_global_variable(name)
    except AriError:  # a name that was never set
        return ""


def examine_codecs(running: Running) -> Sequence[Finding]:
    """Can it play and record what telephones send?"""
    lacking = [name for name in _CODECS if f"{name}.so" not in running.modules]
    if lacking:
        text = f"Asterisk runs without {', '.join(lacking)}: calls would be silent."
        return [Finding(False, text, "Load these modules (modules.conf).")]
    if f"{_WIDE}.so" not in running.modules:
        text = "Telephones are recorded in A-law and µ-law; wide-band (G.722) is not loaded."
        return [Finding(True, text)]
    return [Finding(True, "Asterisk has the codecs: A-law, µ-law, G.722.")]


def examine_services(running: Running) -> Sequence[Finding]:
    """What faxes and conferences need; nobody needs them who has none."""
    found = []
    for what, names in _SERVICES.items():
        if lacking := [name for name in names if f"{name}.so" not in running.modules]:
            text = f"No {what}: Asterisk runs without {', '.join(lacking)}."
            advice = f"Load them (modules.conf) where users have numbers for {what}."
            found.append(Finding(True, text, advice))
    return found


def examine_recordings(running: Running, spool: Path) -> Sequence[Finding]:
    """Does it record where we look? Blocks."""
    if not running.spool:
        return []
    theirs = Path(running.spool) / "recording" / "vm-ari"
    if theirs.resolve() == spool.resolve():
        return [Finding(True, f"Recordings are made in {spool}.")]
    text = f"Asterisk records to {theirs}, and we look in {spool}."
    return [Finding(False, text, f"In [spool] write: directory = “{theirs}”")]


def examine_prompts(running: Running, ours: Path, site: Site) -> Sequence[Finding]:
    """May Asterisk's account read the prompts, ours and those of the dialplan alone? Blocks."""
    account = _account(running, site)
    return [
        *_readable(ours, account, "asterisk install-config --sounds"),
        *_alone(Path(running.sounds), running.language, account),
    ]


def _account(running: Running, site: Site) -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(running.user)
    except KeyError:
        return site.account


def _readable(sounds: Path, account: pwd.struct_passwd, command: str) -> Sequence[Finding]:
    samples = sorted(sounds.glob("*/thank-you-goodbye.wav"))
    closed = [path for path in samples if not may_read(path, account)]
    if not samples:
        return [Finding(False, f"There are no prompts in {sounds}.", "Is “sounds” right?")]
    if closed:
        text = f"Asterisk ({account.pw_name}) may not read the prompts in {closed[0].parent}."
        advice = (
            f"Copy them to a place it may read (cp -r {sounds} /usr/local/share/vm-ari/), "
            f"name it in “sounds”, and type: vm-ari {command}"
        )
        return [Finding(False, text, advice)]
    return [Finding(True, f"Asterisk ({account.pw_name}) may read the prompts in {sounds}.")]


def _alone(sounds: Path, language: str, account: pwd.struct_passwd) -> Sequence[Finding]:
    prompt = sounds / language / _FALLBACK
    if may_read(prompt, account):
        return []
    text = f"Without us the dialplan would play {prompt}, which Asterisk cannot read."
    advice = "Set the global variables VM_ARI_SOUNDS and VM_ARI_LANGUAGE: vm-ari asterisk "
    return [Finding(False, text, f"{advice}install-config")]


def examine_files(site: Site, *, silence_sent: bool) -> Sequence[Finding]:
    """What its files say that ARI does not tell; *silence_sent*: do we, while messages are left?

    Blocks. Raises NotConfigurable.
    """
    whole = replace(site, with_ours=True)
    return [*_http(whole), *_silence(whole, ours=silence_sent)]


def _silence(site: Site, *, ours: bool) -> Iterator[Finding]:
    """What comes to a caller while he talks: with Asterisk's own setting it does in any case."""
    theirs = is_yes(site.value("asterisk.conf", "options", "transmit_silence"))
    match ours, theirs:
        case True, False:
            text = "Without us the dialplan sends nothing while it records: some trunks hang up."
            yield Finding(True, text, "asterisk.conf, [options]: transmit_silence = yes")
        case False, False if _keeps_alive(site):
            text = "While a message is left, trunks with rtp_keepalive are sent comfort noise only."
            yield Finding(True, text)
        case False, False:
            text = "While a message is left, callers are sent nothing: some trunks hang up then."
            advice = "pjsip.conf, endpoints of such trunks: rtp_keepalive = 5."
            yield Finding(True, text, advice)
        case False, True:
            text = "calls.transmit_silence = false saves nothing: Asterisk sends silence by itself."
            yield Finding(True, text, "asterisk.conf, [options]: transmit_silence = no")


def _keeps_alive(site: Site) -> bool:
    """Has any endpoint of pjsip.conf, or template of one, such a time?"""
    said = site.says("pjsip.conf")
    return any(one.key == "rtp_keepalive" and one.value.strip("0") for one in said)


def _http(site: Site) -> Iterator[Finding]:
    bind = site.value("http.conf", "general", "bindaddr") or ""
    if bind in _LOOPBACK:
        yield Finding(True, "Asterisk's HTTP server is reached from this machine only.")
    else:
        text = f"Asterisk's HTTP server listens on {bind or 'every address'}."
        advice = "http.conf: bindaddr = 127.0.0.1, or a firewall in front of it."
        yield Finding(False, text, advice)
    limit = site.value("http.conf", "general", "sessionlimit") or "100"
    if limit.isdecimal() and int(limit) < SESSIONS:
        text = f"Asterisk's HTTP server takes {limit} connections: too few for many calls at once."
        yield Finding(False, text, f"http.conf: sessionlimit = {SESSIONS}")


def examine_plan(plan: Plan, site: Site) -> Sequence[Finding]:
    """Is what `install-config` has written as it would write it now?"""
    blocks = [one for one in plan.changes if one.backup and one.before and one.does_something]
    ours = [one for one in plan.changes if not one.backup and one.does_something]
    if not any(one.before for one in plan.changes if not one.backup):
        return [Finding(True, f"Our files are included by hand, or not in {site.directory}.")]
    if not blocks and not ours:
        return [Finding(True, f"Our files in {site.directory} are as install-config writes them.")]
    names = ", ".join(one.path.name for one in (*ours, *blocks))
    text = f"Files in {site.directory} are not as install-config writes them: {names}."
    advice = "vm-ari asterisk install-config --diff shows the difference; without --diff it mends."
    return [Finding(False, text, advice)]
