"""The documentation is a site: every page is listed, every link leads somewhere, nothing warns."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
LINK = re.compile(r"\[[^\[\]]+\]\(([^)\s]+)\)")
CODE = re.compile(r"^ *```.*?^ *```|^    .*?$|`[^`\n]+`", re.MULTILINE | re.DOTALL)
PAGES = sorted(page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md"))


def links(page: Path) -> list[str]:
    """Those to other files; anchors are Sphinx's to judge."""
    found = LINK.findall(CODE.sub("", page.read_text(encoding="utf-8")))
    return [one.partition("#")[0] for one in found if not re.match(r"[a-z]+:|#", one)]


def test_every_page_is_listed_in_the_index() -> None:
    listed = links(DOCS / "index.md")
    assert [page for page in PAGES if page not in {*listed, "index.md"}] == []


@pytest.mark.parametrize("page", ["../README.md", *PAGES])
def test_links_lead_to_files_that_there_are(page: str) -> None:
    file = DOCS / page
    assert [one for one in links(file) if not (file.parent / one).exists()] == []


def test_the_site_is_made_without_a_warning(tmp_path: Path) -> None:
    options = ("-q", "-W", "--keep-going", "-b", "html")
    command = [sys.executable, "-m", "sphinx", *options, str(DOCS), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    index = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert 'class="caption-text">Operations' in index
    assert 'href="how-to/dovecot.html"' in index


def test_what_is_not_part_of_the_site_is_named_instead(tmp_path: Path) -> None:
    source = tmp_path / "docs"
    source.mkdir()
    (source / "conf.py").write_text((DOCS / "conf.py").read_text(encoding="utf-8"))
    (source / "index.md").write_text(
        "# Site\n\n[a file](../packaging/x.conf), [a page](b.md)\n\n## Part\n\n* [B](b.md)\n"
    )
    (source / "b.md").write_text("# Page B\n")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "-b", "text", str(source), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "index.txt").read_text()
    assert re.search(r"a file \(.packaging/x.conf.\)", text), text
