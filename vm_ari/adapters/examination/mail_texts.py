"""The texts of mails, which a site may edit: can all of them be used?"""

from collections.abc import Iterator
from pathlib import Path

from jinja2 import Environment, TemplateSyntaxError, nodes
from jinja2.meta import find_referenced_templates, find_undeclared_variables

from vm_ari.adapters.findings import Finding

_SUFFIXES = {".txt", ".html"}


def examine_mail_texts(site: Path, shipped: Path) -> list[Finding]:
    """Every file below *site* is read; names that no *shipped* one of that mail knows are told.

    Blocks.
    """
    if not site.is_dir():
        text = f"There are no texts of mails in {site}, so no mail can be written."
        return [Finding(False, text, "Correct templates, or remove it: ours are used then.")]
    try:
        files = [one for one in sorted(site.rglob("*")) if one.suffix in _SUFFIXES]
        found = [finding for one in files for finding in _wrong(one, site, shipped)]
    except OSError as error:
        text = f"The texts of mails cannot be read: {error.strerror}: {error.filename}."
        return [Finding(False, text, "Let the controller's account read them.")]
    return found or [Finding(True, f"The {len(files)} texts of mails can be used.")]


def _wrong(file: Path, site: Path, shipped: Path) -> Iterator[Finding]:
    try:
        parsed = _parsed(file)
    except TemplateSyntaxError as error:
        text = f"{file}, line {error.lineno}: {str(error.message).rstrip('.')}."
        yield Finding(False, text, f"Correct it; ours is {shipped / file.relative_to(site)}")
        return
    except UnicodeDecodeError:
        yield Finding(False, f"{file} is not written in UTF-8.", "Save it as UTF-8.")
        return
    if site.resolve() != shipped.resolve():
        yield from _strange_names(file, parsed, site, shipped)


def _parsed(file: Path) -> nodes.Template:
    jinja = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    return jinja.parse(file.read_text(encoding="utf-8"))


def _strange_names(
    file: Path, parsed: nodes.Template, site: Path, shipped: Path
) -> Iterator[Finding]:
    mail = shipped / file.relative_to(site).parts[0]
    if not mail.is_dir():
        return
    ours = [_parsed(one) for one in mail.rglob("*") if one.suffix in _SUFFIXES]
    named = {name for one in ours for name in find_referenced_templates(one) if name}
    frames = [_parsed(shipped / name) for name in named if name.endswith(".html")]
    known = {name for one in (*ours, *frames) for name in find_undeclared_variables(one)}
    for name in sorted(find_undeclared_variables(parsed) - known):
        text = f"{file}: nobody knows {name}, so this mail cannot be written."
        yield Finding(False, text, f"Correct it; there are: {', '.join(sorted(known))}")
