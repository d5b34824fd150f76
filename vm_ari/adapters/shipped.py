"""Everything that this program is made of, with versions and licences: packages, voices, web."""

import json
import re
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from vm_ari.domain.system_facts import Program

OURSELVES = "vm_ari"
_VOICES = {
    "kokoro": ("Kokoro-82M", "Apache-2.0"),
    "pico": ("SVOX Pico", "Apache-2.0"),
    "espeak": ("eSpeak NG", "GPL-3.0 (the program; recordings are ours)"),
}
"""Engines that recordings are made with, and the licence of model or voice (sounds/LICENSES)."""
_WEB = (
    ("htmx.min.js", "htmx", re.compile(r'version:"([0-9.]+)"'), "0BSD"),
    ("pico.min.css", "Pico CSS", re.compile(r"Pico CSS[^v]{0,8}v([0-9.]+)"), "MIT"),
)
_SAID = {"imapclient": "BSD-3-Clause"}
"""Of packages that tell it in their files only."""
LONGEST_NAME = 120
"""Characters: some packages have the whole text of the licence in its place."""
_LARGEST = 500_000


def software(templates: Path, sounds: Path) -> Sequence[Program]:
    """Ourselves, every package that is needed at run time, voices and what browsers get. Blocks."""
    return [*_packages(), *_voices(sounds), *_web(templates / "web" / "static")]


# --- packages


@cache
def _packages() -> tuple[Program, ...]:
    """Ourselves first; those of extras only where they are installed."""
    names, todo = set[str](), [OURSELVES]
    found: dict[str, Program] = {}
    while todo:
        key = _canonical(todo.pop())
        if key in names:
            continue
        names.add(key)
        try:
            one = distribution(key)
        except PackageNotFoundError:
            continue
        found[key] = Program(one.metadata["Name"], one.version, _licence(one))
        todo += _needed(one)
    ours = found.pop(_canonical(OURSELVES), None)
    others = sorted(found.values(), key=lambda program: program.name.casefold())
    return ((ours,) if ours else ()) + tuple(others)


def _needed(one: Distribution) -> Iterator[str]:
    for requirement in one.requires or ():
        name = re.match(r"[A-Za-z0-9._-]+", requirement)
        if name and "extra ==" not in requirement and "extra==" not in requirement:
            yield name[0]


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _licence(found: Distribution) -> str:
    """The SPDX expression, the short text, or what the classifiers say."""
    told = found.metadata.json
    said = str(told.get("license_expression") or told.get("license") or "")
    if said and len(said) < LONGEST_NAME and said.upper() != "UNKNOWN":
        return said
    classifiers = found.metadata.get_all("Classifier") or []
    named = [one.rpartition(" :: ")[2] for one in classifiers if one.startswith("License ::")]
    return ", ".join(one for one in named if one != "OSI Approved") or _SAID.get(
        _canonical(found.metadata["Name"]), "see its files"
    )


# --- voices


def _voices(sounds: Path) -> Iterator[Program]:
    """Who speaks the prompts of each language; a site's own recordings are its own."""
    for folder in sorted(sounds.glob("*/manifest.json")):
        try:
            told = json.loads(folder.read_text(encoding="utf-8"))
            made = {(str(one["engine"]), str(one["voice"])) for one in told.values()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue
        for engine, voice in sorted(made):
            name, licence = _VOICES.get(engine, (engine, "the site's own"))
            yield Program(f"{name} ({folder.parent.name})", voice, licence)


# --- what browsers get


def _web(static: Path) -> Iterator[Program]:
    for file, name, pattern, licence in _WEB:
        try:
            with (static / file).open(encoding="utf-8", errors="replace") as opened:
                found = pattern.search(opened.read(_LARGEST))
        except OSError:
            continue
        yield Program(name, found[1] if found else "", licence)
