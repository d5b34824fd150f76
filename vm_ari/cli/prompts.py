"""``vm-ari prompts``: render the spoken sentences, list them, see what is missing."""

import os
from pathlib import Path

import click

ENGINES = ("kokoro", "pico", "espeak", "command", "recordings")


def _shipped_sounds() -> Path:
    from vm_ari.config import shared_files

    return shared_files() / "sounds"


sounds_option = click.option(
    "--sounds",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=_shipped_sounds,
    show_default="those that came with the program",
    envvar="VM_ARI_SOUNDS",
    help="The folder with one folder per language.",
)
language_option = click.option("--lang", "code", metavar="CODE", help="de, en, fr, …")


@click.group()
def prompts() -> None:
    """The sentences that callers and users hear."""


@prompts.command()
@sounds_option
@click.option("--lang", "code", required=True, metavar="CODE", help="de, en, fr, …")
@click.option("--engine", type=click.Choice(ENGINES), required=True)
@click.option("--voice", help="The engine's name of the voice; each has its own default.")
@click.option(
    "--from",
    "where",
    help="kokoro: the model's folder (or in VM_ARI_KOKORO); recordings: the folder of the files; "
    "command: a command line with {text_file} and {out}.",
)
@click.option("--only", multiple=True, metavar="ID", help="Only this prompt; can be repeated.")
@click.option("--all", "everything", is_flag=True, help="Also prompts that are up to date.")
def render(
    *,
    sounds: Path,
    code: str,
    engine: str,
    voice: str | None,
    where: str | None,
    only: tuple[str, ...],
    everything: bool,
) -> None:
    """Make the sound files of a language from its texts.csv."""
    from vm_ari.adapters import prompt_engines, prompt_rendering, prompt_texts
    from vm_ari.adapters.audio import BadAudio

    folder = sounds / code
    try:
        where = where or (os.environ.get("VM_ARI_KOKORO") if engine == "kokoro" else None)
        speaker = prompt_engines.engine(engine, code, voice, where)
        texts = prompt_texts.read_texts(folder)
        if unknown := set(only) - texts.keys():
            raise click.BadParameter(f"no prompt {', '.join(sorted(unknown))}", param_hint="--only")
        todo = [texts[id_] for id_ in only or texts]
        if not (only or everything):
            todo = prompt_rendering.outdated(folder, speaker)
        for prompt in prompt_rendering.render(folder, todo, speaker):
            click.echo(f"{prompt.id}: {prompt.words}")
        prompt_rendering.write_tones(sounds)
    except (prompt_engines.EngineUnavailable, prompt_texts.BadTexts, BadAudio, OSError) as error:
        raise click.ClickException(str(error)) from error


@prompts.command()
@sounds_option
@language_option
def missing(sounds: Path, code: str | None) -> None:
    """What a language cannot say yet, or says with words that were changed since."""
    from vm_ari.adapters import prompt_rendering
    from vm_ari.speech.language import language

    lines = [
        line
        for one in _codes(code)
        for line in prompt_rendering.missing(sounds, one, language(one).vocabulary())
    ]
    click.echo("\n".join(lines) if lines else "Nothing is missing.")
    if lines:
        raise SystemExit(1)


@prompts.command(name="list")
@sounds_option
@language_option
def list_(sounds: Path, code: str | None) -> None:
    """Every prompt with its words, tab-separated: what to give to a speaker."""
    from vm_ari.adapters import prompt_texts

    for one in _codes(code):
        for prompt in prompt_texts.read_texts(sounds / one).values():
            click.echo(f"{one}/{prompt.id}\t{prompt.words}")


def _codes(code: str | None) -> tuple[str, ...]:
    from vm_ari.speech.language import UnknownLanguage, language, languages

    if code is None:
        return languages()
    try:
        return (language(code).CODE,)
    except UnknownLanguage as error:
        raise click.BadParameter(str(error), param_hint="--lang") from error
