"""The page of commands is made from the program: ``python -m tests.docs.test_cli_page``."""

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

import click

from vm_ari.cli import SUMMARIES, main
from vm_ari.cli.man_pages import leaves

PAGE = Path(__file__).parents[2] / "docs" / "cli.md"
HEAD = """\
# Commands

Made from the program by `python -m tests.docs.test_cli_page`; do not edit.

`vm-ari COMMAND --help` says the same, and so do the manual pages (`man vm-ari-users`).
`vm-ari completion` lets TAB complete all of it. What the exit codes mean is at the end.
Every command that reads the configuration takes `-c FILE` (`VM_ARI_CONFIG`), too.

| command | |
| --- | --- |
"""
FOOT = """
## Exit codes

| code | means |
| --- | --- |
| 0 | done |
| 1 | not done, or nothing found; the message says why and what to do |
| 2 | the command was not understood |
| 3 | the configuration cannot be used |
| 4 | a server that is needed does not answer |
| 5 | done for some users only; the others are named |
"""
OPTION_OF_ALL = "--config"


def page() -> str:
    """As it should be."""
    context = click.Context(main, info_name="vm-ari")
    names = main.list_commands(context)
    rows = (f"| [`vm-ari {name}`](#vm-ari-{name}) | {SUMMARIES[name]} |\n" for name in names)
    return "".join([HEAD, *rows, *(_chapter(context, name) for name in names), FOOT])


def _chapter(parent: click.Context, name: str) -> str:
    """One command of the first level; of an alias only what it stands for."""
    command = main.get_command(parent, name)
    assert command is not None
    context = click.Context(command, info_name=name, parent=parent)
    title = f"\n## vm-ari {name}\n\n"
    if SUMMARIES[name].startswith("The same as "):
        return f"{title}{SUMMARIES[name]}\n"
    if not isinstance(command, click.Group):
        return title + _body(context)
    below = [f"\n### {one.command_path}\n\n{_body(one)}" for one in leaves(context)]
    return "".join([title, _told(command), *below])


def _body(context: click.Context) -> str:
    pieces = " ".join(context.command.collect_usage_pieces(context))
    usage = f"```text\n{context.command_path} {pieces}\n```\n"
    return "\n".join(filter(None, [usage, _told(context.command), _options(context)]))


def _told(command: click.Command) -> str:
    """The help as paragraphs; what click keeps line by line is shown as it is."""
    text = textwrap.dedent(command.help or command.short_help or "").partition("\f")[0]
    return "\n".join(_paragraph(one) for one in re.split(r"\n\s*\n", text.strip()) if one.strip())


def _paragraph(text: str) -> str:
    if text.startswith("\b"):
        return f"```text\n{text.lstrip(chr(8)).strip(chr(10))}\n```\n"
    return f"{_safe(' '.join(text.split()))}\n"


def _options(context: click.Context) -> str:
    """Without those that every command has."""
    rows = [f"| `{one}` | {_safe(told)} |\n" for one, told in _records(context)]
    return "".join(["| option | |\n| --- | --- |\n", *rows]) if rows else ""


def _records(context: click.Context) -> Iterator[tuple[str, str]]:
    for param in context.command.params:
        record = param.get_help_record(context)
        if record and record[1] and OPTION_OF_ALL not in param.opts:
            yield record[0].replace("|", "\\|"), record[1]


def _safe(text: str) -> str:
    """No sign of it is Markdown's."""
    return re.sub(r"([\\`*_|<>\[\]])", r"\\\1", text)


def test_the_page_of_commands_is_fresh() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), __doc__


def test_it_is_the_same_on_every_machine() -> None:
    assert str(Path(__file__).parents[2]) not in page()


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
