"""Mails are written in every language that the telephone speaks."""

from pathlib import Path

import pytest
from jinja2 import Environment, meta

from vm_ari.adapters.templates import FALLBACK_LANGUAGE
from vm_ari.speech.language import languages

TEMPLATES = Path(__file__).parents[2] / "templates"
PORTAL = "web"
"""No mail: tests/web looks at its languages."""
MAILS = sorted(
    folder.name for folder in TEMPLATES.iterdir() if folder.is_dir() and folder.name != PORTAL
)
each_mail = pytest.mark.parametrize("mail", MAILS)
each_language = pytest.mark.parametrize("code", languages())


def parts(mail: str, code: str) -> set[str]:
    return {file.name for file in (TEMPLATES / mail / code).iterdir()}


def facts(mail: str, code: str, part: str) -> set[str]:
    """The values that a template uses."""
    text = (TEMPLATES / mail / code / part).read_text(encoding="utf-8")
    return meta.find_undeclared_variables(Environment().parse(text))


@each_mail
@each_language
def test_a_mail_has_the_same_parts_in_every_language(mail: str, code: str) -> None:
    assert parts(mail, code) == parts(mail, FALLBACK_LANGUAGE)


@each_mail
@each_language
def test_a_translation_leaves_nothing_out(mail: str, code: str) -> None:
    english = {part: facts(mail, FALLBACK_LANGUAGE, part) for part in parts(mail, code)}
    assert {part: facts(mail, code, part) for part in english} == english
