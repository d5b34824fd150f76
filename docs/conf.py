"""The documentation as a site: ``make docs`` writes it into build/docs; a warning is an error.

The pages are plain Markdown, so that they can be read on a forge just as well; what only a site
needs is made here: the navigation from the lists of index.md, and words in place of links into
the source tree, which is not part of the site.
"""

import re
from pathlib import Path, PurePosixPath
from posixpath import normpath

from sphinx.application import Sphinx

DOCS = Path(__file__).parent
SECTION = re.compile(r"^## (.+?)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
LISTED = re.compile(r"^[*-] \[[^\]]+\]\(([^)#]+)\.md\)", re.MULTILINE)
LINK = re.compile(r"\[([^\[\]]+)\]\((\.\./[^)#\s]+)[^)]*\)")

project = "vm_ari"
author = "the authors of vm_ari"
copyright = "the authors of vm_ari, Apache-2.0"
extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
exclude_patterns: list[str] = []
myst_heading_anchors = 4
suppress_warnings = ["misc.highlighting_failure"]  # nobody colours slapd.conf
html_theme = "furo"
html_title = "vm_ari"
html_copy_source = False


def navigation(index: str) -> str:
    """What index.md lists below each of its headings, as Sphinx wants to be told of it."""
    parts = []
    for title, listed in SECTION.findall(index):
        if pages := LISTED.findall(listed):
            names = "\n".join(pages)
            parts.append(f"\n```{{toctree}}\n:hidden:\n:caption: {title}\n\n{names}\n```\n")
    return "".join(parts)


def without_outside_links(page: str, text: str) -> str:
    """A link to a file outside of docs/ becomes its words and the file's name."""

    def told(found: re.Match[str]) -> str:
        path = normpath(f"{PurePosixPath(page).parent}/{found[2]}")
        if not path.startswith("../"):
            return found[0]
        name = path.removeprefix("../")
        return found[1] if name in found[1] else f"{found[1]} (`{name}`)"

    return LINK.sub(told, text)


def _read(app: Sphinx, page: str, source: list[str]) -> None:
    source[0] = without_outside_links(page, source[0])
    if page == "index":
        source[0] += navigation(source[0])


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("source-read", _read)
