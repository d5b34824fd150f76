"""What ``vm-ari check`` says of prompts, voices, and whatever writes down what is heard or seen."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from vm_ari.adapters.examination.accounts import controllers_account
from vm_ari.adapters.examination.speaking import (
    examine_cache,
    examine_ocr,
    examine_sounds,
    examine_voice,
)
from vm_ari.adapters.fax_text import FaxText
from vm_ari.adapters.findings import Finding, sentence
from vm_ari.adapters.transcription import NoEngine
from vm_ari.config import Config
from vm_ari.speech.language import languages
from vm_ari.wiring.directories import voice_settings
from vm_ari.wiring.speech import open_transcription


async def examine_sounds_of(config: Config) -> Sequence[Finding]:
    """The prompts, in each language."""
    return await asyncio.to_thread(examine_sounds, Path(config.sounds))


async def examine_voices(config: Config) -> Sequence[Finding]:
    """Does something speak each language, and may it keep what it has spoken?"""
    codes = dict.fromkeys((config.site.language, *config.inbox.languages, *languages()))
    found = await examine_voice(voice_settings(config), list(codes))
    account = await asyncio.to_thread(controllers_account, config.directory.keys)
    return [*found, await asyncio.to_thread(examine_cache, config.speech.cache, account)]


async def examine_recognition(config: Config) -> Sequence[Finding]:
    """Faxes that are read aloud, and voice messages that are written down."""
    found = await examine_ocr(FaxText(languages())) if config.inbox.read_faxes else []
    try:
        written = open_transcription(config, config.spool.directory / "transcripts-work")
    except NoEngine as error:
        text = f"Voice messages are not written down: {sentence(error)}"
        return [*found, Finding(False, text, "They are delivered without a transcript.")]
    if written:
        engine = config.transcription.engine
        found.append(Finding(True, f"Voice messages are written down by {engine}."))
    return found
