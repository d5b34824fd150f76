"""What the telephone says: the recorded prompts, and the voice that reads texts."""

from pathlib import Path

from vm_ari.adapters import prompt_rendering
from vm_ari.adapters.fax_text import FaxText
from vm_ari.adapters.findings import Finding, sentence
from vm_ari.adapters.prompt_texts import BadTexts
from vm_ari.ports import NoOcr, Unspeakable, Voice, VoiceUnavailable
from vm_ari.speech.language import language, languages

_MOST_NAMED = 3
_SAMPLES = {"de": "Guten Tag.", "en": "Good day.", "fr": "Bonjour."}


def examine_sounds(sounds: Path) -> list[Finding]:
    """Can every language say everything? Blocks."""
    return [_complete(sounds, code) for code in languages()]


def _complete(sounds: Path, code: str) -> Finding:
    advice = f"vm-ari prompts missing --lang {code} names all; is “sounds” the right directory?"
    try:
        gaps = prompt_rendering.missing(sounds, code, language(code).vocabulary())
    except (OSError, ValueError, KeyError, TypeError, BadTexts) as error:
        return Finding(False, f"The prompts in {sounds / code} cannot be read: {error}.", advice)
    if gaps:
        some = "; ".join(gaps[:_MOST_NAMED])
        return Finding(False, f"{code}: {len(gaps)} prompts are not right: {some}.", advice)
    return Finding(True, f"The prompts in {code} are complete.")


async def examine_voice(voice: Voice) -> list[Finding]:
    """Can texts be read aloud in every language?"""
    return [await _speaks(voice, code) for code in languages()]


async def examine_faxes(reader: FaxText) -> list[Finding]:
    """Can fax pages be read aloud?"""
    try:
        known = await reader.languages()
    except NoOcr as error:
        text = f"Faxes are not read aloud: {sentence(error)}"
        return [Finding(False, text, "Or write read_faxes = false in [inbox].")]
    return [Finding(True, f"Fax pages are recognised in {', '.join(known)}.")]


async def _speaks(voice: Voice, code: str) -> Finding:
    try:
        await voice.spoken(_SAMPLES.get(code, "123"), code)
    except (VoiceUnavailable, Unspeakable) as error:
        advice = "Until then nothing is read aloud in that language."
        return Finding(False, f"No voice speaks {code}: {sentence(error)}", advice)
    return Finding(True, f"A voice speaks {code}.")
