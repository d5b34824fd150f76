"""Texts of our mails: Jinja2 files of the site, one folder per mail and language."""

from collections.abc import Mapping
from pathlib import Path

from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

FALLBACK_LANGUAGE = "en"


class MailTemplates:
    """Renders ``<root>/<mail>/<language>/<part>``; parts named ``*.html`` are escaped.

    The templates may be edited by the site, so they run in Jinja2's sandbox, and a name that
    is not given is an error instead of a gap in somebody's mail.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._jinja = ImmutableSandboxedEnvironment(
            loader=FileSystemLoader(root),
            autoescape=_is_html,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._languages: dict[str, frozenset[str]] = {}

    def language(self, mail: str, wanted: str) -> str:
        """The language of that mail that suits best: ``de-AT`` gets ``de``, unknown ones English.

        *wanted* is compared with the folders that exist and never becomes part of a path.
        """
        there = self._languages_of(mail)
        primary = wanted.replace("_", "-").partition("-")[0].lower()
        for candidate in (wanted, primary, FALLBACK_LANGUAGE):
            if candidate in there:
                return candidate
        return min(there, default=FALLBACK_LANGUAGE)

    def render(self, mail: str, language: str, part: str, values: Mapping[str, object]) -> str:
        """The text of one part. Raises `jinja2.TemplateError` where the site's file is wrong."""
        name = f"{mail}/{self.language(mail, language)}/{part}"
        return self._jinja.get_template(name).render(values)

    def _languages_of(self, mail: str) -> frozenset[str]:
        if mail not in self._languages:
            folders = (self._root / mail).iterdir()
            self._languages[mail] = frozenset(f.name for f in folders if f.is_dir())
        return self._languages[mail]


def _is_html(name: str | None) -> bool:
    return name is not None and name.endswith(".html")
