"""What the telephone says: the recorded prompts, and the voice that reads texts."""

import asyncio
import os
import stat
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from vm_ari.adapters import audio, prompt_rendering
from vm_ari.adapters.audio import BadAudio
from vm_ari.adapters.examination.accounts import Account, group_name, own_account
from vm_ari.adapters.examination.mending import close_to_others, mkdir
from vm_ari.adapters.fax_text import FaxText
from vm_ari.adapters.findings import Finding, sentence
from vm_ari.adapters.prompt_engines import PICO_VOICES
from vm_ari.adapters.prompt_texts import BadTexts
from vm_ari.adapters.speech_synthesis import ESPEAK, MEGABYTE, Synthesis, VoiceSettings
from vm_ari.ports import NoOcr, Unspeakable, VoiceUnavailable
from vm_ari.speech.language import language, languages

INSTALL_ESPEAK = "apt-get install espeak-ng"
INSTALL_PICO = "pip install 'vm-ari[speech]'"
CACHE_MODE = 0o2750
_MOST_NAMED = 3
_SAMPLES = {"de": "Guten Tag.", "en": "Good day.", "fr": "Bonjour."}


def examine_sounds(sounds: Path) -> list[Finding]:
    """Can every language say everything? Blocks."""
    return [_complete(sounds, code) for code in languages()]


def _complete(sounds: Path, code: str) -> Finding:
    advice = f"vm-ari prompts missing --lang {code} names all; is “sounds” the right directory?"
    try:
        gaps = prompt_rendering.missing(sounds, code, language(code).vocabulary())
    except OSError as error:
        text = f"The prompts in {sounds / code} cannot be read: {error.strerror}: {error.filename}."
        return Finding(False, text, advice)
    except (ValueError, KeyError, TypeError, BadTexts) as error:
        return Finding(False, f"The prompts in {sounds / code} cannot be read: {error}.", advice)
    if gaps:
        some = "; ".join(gaps[:_MOST_NAMED])
        return Finding(False, f"{code}: {len(gaps)} prompts are not right: {some}.", advice)
    return Finding(True, f"The prompts in {code} are complete.")


async def examine_voice(settings: VoiceSettings, codes: Sequence[str]) -> list[Finding]:
    """Which engine speaks each language, and how fast? All say something, whatever is cached."""
    with tempfile.TemporaryDirectory(prefix="vm-ari-voice-") as place:
        voice = Synthesis(Path(place) / "cache", settings)
        return [await _speaks(voice, settings, code) for code in codes]


def examine_cache(cache: Path, account: Account | None = None) -> Finding:
    """Where spoken texts are kept, how much it is, and who may read it. Blocks."""
    account = account or own_account()
    try:
        if not cache.is_dir():
            return _no_cache_yet(cache, account)
        about, used = cache.stat(), sum(one.stat().st_size for one in cache.glob("*.wav*"))
    except OSError as error:
        return Finding(False, f"The cache {cache}: {error.strerror}.", _make(cache))
    if not account.may(cache, os.R_OK | os.W_OK | os.X_OK):
        text = f"The cache {cache} cannot be written by {account.name}."
        return Finding(False, text, _make(cache))
    if about.st_mode & stat.S_IRWXO:
        text = f"Everybody on this machine may read what was read aloud: {cache}."
        return Finding(False, text, f"Type: chmod o= {cache}", mending=close_to_others(cache))
    group = group_name(about.st_gid)
    kept = f"{used / MEGABYTE:.1f} MB of speech are kept in {cache}"
    return Finding(True, f"{kept}; group {group}, in which Asterisk must be, may read them.")


async def examine_ocr(reader: FaxText) -> list[Finding]:
    """Can fax pages be read aloud?"""
    try:
        known = await reader.languages()
    except NoOcr as error:
        text = f"Faxes are not read aloud: {sentence(error)}"
        return [Finding(False, text, "Or write read_faxes = false in [inbox].")]
    return [Finding(True, f"Fax pages are recognised in {', '.join(known)}.")]


async def _speaks(voice: Synthesis, settings: VoiceSettings, code: str) -> Finding:
    began = time.monotonic()
    try:
        speaker = voice.speaker(code)
        sound = await voice.spoken(_SAMPLES.get(code, "123"), code)
        took = time.monotonic() - began
        await asyncio.to_thread(_is_heard, sound)
    except (VoiceUnavailable, Unspeakable) as error:
        return Finding(False, f"No voice speaks {code}: {sentence(error)}", _remedy(settings))
    better = settings.engine == "auto" and code in PICO_VOICES and speaker == ESPEAK
    advice = f"For a better voice type: {INSTALL_PICO}" if better else ""
    return Finding(True, f"{speaker} speaks {code}: the first words took {took:.1f} s.", advice)


def _is_heard(sound: Path) -> None:
    """Raises `VoiceUnavailable`."""
    try:
        heard = audio.speech_seconds(*audio.read(sound))
    except BadAudio:
        raise VoiceUnavailable("what the engine made is no sound") from None
    if not heard:
        raise VoiceUnavailable("what the engine made is silent")


def _remedy(settings: VoiceSettings) -> str:
    """The one command to type, and the one for those who want more."""
    match settings.engine:
        case "command":
            return "Mend “command” in [speech], or remove “engine” there."
        case "pico":
            return f"Type: {INSTALL_PICO}"
        case "espeak":
            return f"Type: {INSTALL_ESPEAK}"
        case _:
            return f"Type: {INSTALL_ESPEAK} (for a better voice: {INSTALL_PICO})"


def _no_cache_yet(cache: Path, account: Account) -> Finding:
    there = next(parent for parent in cache.absolute().parents if parent.exists())
    if there.is_dir() and account.may(there, os.W_OK | os.X_OK):
        return Finding(True, f"Nothing is spoken yet; {cache} is made then.")
    text = f"The cache {cache} may not be made in {there} by {account.name}."
    return Finding(False, text, _make(cache), mending=mkdir(cache, account, CACHE_MODE))


def _make(cache: Path) -> str:
    return f"Type: install -d -o vm-ari -g asterisk -m 2750 {cache}"
