"""``vm-ari test transcription`` and ``vm-ari test fax``: what this machine makes of a file."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vm_ari.cli.opening import FAILED, config_option, configured, fail, output_option, reported

if TYPE_CHECKING:
    from vm_ari.config import Config
    from vm_ari.domain.transcripts import Transcript

_MEDIA_TYPES = {".pdf": "application/pdf", ".png": "image/png"}


@click.command()
@config_option
@output_option
@click.option("--lang", "language", default="", metavar="CODE", help="The likeliest language.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def transcription(path: Path, form: str, language: str, file: Path) -> None:
    """Write down what is said in FILE (WAV), with the engine of the configuration.

    Ends with 1 if there is no engine or it fails.
    """
    import asyncio

    from vm_ari.cli.output import write

    with reported():
        config = configured(path)
    began = time.monotonic()
    transcript = asyncio.run(_transcript(config, file.absolute(), language or config.site.language))
    facts: dict[str, object] = {
        "seconds": round(time.monotonic() - began, 1),
        "language": transcript.language if transcript else "",
        "uncertain": [one.text for one in transcript.passages if not one.sure]
        if transcript
        else [],
        "text": transcript.text if transcript else "",
    }
    if form == "json":
        write([facts], (), form)
    else:
        rows = [{"what": key, "value": value} for key, value in facts.items()]
        write(rows, ("what", "value"), form)


async def _transcript(config: "Config", file: Path, language: str) -> "Transcript | None":
    import tempfile

    from vm_ari.adapters.transcription import NoEngine
    from vm_ari.domain.transcripts import NotTranscribed
    from vm_ari.wiring.speech import open_transcription

    with tempfile.TemporaryDirectory(prefix="vm-ari-") as work:
        try:
            engine = open_transcription(config, Path(work))
            if engine is None:
                fail("transcription.engine: it is off; name an engine.", FAILED)
            rules = config.transcription.rules()
            return await engine.transcribe(file, rules.language_for(language))
        except (NoEngine, NotTranscribed) as error:
            fail(f"transcription: {error}", FAILED)


@click.command()
@click.option(
    "--lang",
    "languages",
    multiple=True,
    metavar="CODE",
    default=("de", "en"),
    show_default=True,
    help="A language that faxes are written in; can be repeated.",
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def fax(languages: tuple[str, ...], file: Path) -> None:
    """Read the pages of FILE (TIFF, PDF or PNG) as they would be read aloud.

    Ends with 1 if a page cannot be read.
    """
    import asyncio

    from vm_ari.ports import FaxUnreadable, NoOcr

    try:
        asyncio.run(_read(languages, file))
    except (NoOcr, FaxUnreadable) as error:
        fail(error, FAILED)


async def _read(languages: tuple[str, ...], file: Path) -> None:
    from vm_ari.adapters.fax_text import FaxText

    number = 0
    kind = _MEDIA_TYPES.get(file.suffix.lower(), "image/tiff")
    async for page in FaxText(languages).pages(file, kind):
        number += 1
        click.echo(f"--- page {number}\n{page}")
