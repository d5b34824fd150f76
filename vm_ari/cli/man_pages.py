"""The manual pages, made from the commands: ``python -m vm_ari.cli.man_pages DIRECTORY``.

``vm-ari.1`` tells of all commands, ``vm-ari-users.1`` of one with everything below it; man(7).
"""

import re
import sys
import textwrap
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path

import click

from vm_ari.cli import SUMMARIES, main

SECTION = 1
_CODES = (
    ("0", "Done."),
    ("1", "Not done, or nothing found; the message says why and what to do."),
    ("2", "The command was not understood."),
    ("3", "The configuration cannot be used."),
    ("4", "A server that is needed does not answer."),
    ("5", "Done for some users only; the others are named."),
)
_FILES = (
    ("/etc/vm-ari/vm-ari.toml", "The configuration."),
    ("/etc/vm-ari/conf.d/*.toml", "More of it, read in alphabetical order."),
    ("/var/lib/vm-ari", "Users, greetings, messages and keys, as far as they lie on this machine."),
    ("/var/spool/asterisk/recording/vm-ari", "What is on its way to the mailboxes."),
)


def pages() -> Mapping[str, str]:
    """Every page by its file name."""
    context = click.Context(main, info_name="vm-ari")
    found = {f"vm-ari.{SECTION}": _main_page(context)}
    for name in main.list_commands(context):
        command = main.get_command(context, name)
        assert command is not None
        page = _page(click.Context(command, info_name=name, parent=context), SUMMARIES[name])
        found[f"vm-ari-{name}.{SECTION}"] = page
    return found


def write_pages(directory: Path) -> None:
    """All of them, in place of those that are there. Raises OSError."""
    directory.mkdir(parents=True, exist_ok=True)
    for old in directory.glob(f"vm-ari*.{SECTION}"):
        old.unlink()
    for name, text in pages().items():
        (directory / name).write_text(text, encoding="utf-8")


def _main_page(context: click.Context) -> str:
    commands = "".join(
        f".TP\n\\fBvm\\-ari\\-{_plain(name)}\\fR(1)\n{_plain(SUMMARIES[name])}\n"
        for name in main.list_commands(context)
    )
    return (
        f"{_head('vm-ari', 'Voicemail and remote inquiry for Asterisk.')}"
        f"{_synopsis(context)}.SH COMMANDS\n{commands}{_foot()}"
    )


def _page(context: click.Context, summary: str) -> str:
    name = context.command_path.replace(" ", "-")
    return (
        f"{_head(name, summary)}{_synopsis(context)}.SH DESCRIPTION\n{_text(context.command)}"
        f"{_options(context, '.SH OPTIONS')}{_below(context)}{_foot('vm-ari')}"
    )


def _below(context: click.Context) -> str:
    """The commands of a group, each with what belongs to it."""
    parts = [
        f".SS {_plain(one.command_path)}\n{_usage(one)}\n{_text(one.command)}{_options(one)}"
        for one in leaves(context)
    ]
    return "".join([".SH COMMANDS\n", *parts]) if parts else ""


def leaves(context: click.Context) -> Iterator[click.Context]:
    """All commands below, also those of groups in groups."""
    if not isinstance(context.command, click.Group):
        return
    for name in context.command.list_commands(context):
        command = context.command.get_command(context, name)
        assert command is not None
        below = click.Context(command, info_name=name, parent=context)
        if isinstance(command, click.Group):
            yield from leaves(below)
        elif not command.hidden:
            yield below


def _head(name: str, summary: str) -> str:
    """Without a date: the same program makes the same page."""
    title = f'.TH "{name.upper()}" "{SECTION}" "" "vm_ari {version("vm-ari")}" "vm_ari"\n'
    return f"{title}.SH NAME\n{_plain(name)} \\- {_plain(summary.rstrip('.'))}\n"


def _synopsis(context: click.Context) -> str:
    return f".SH SYNOPSIS\n{_usage(context)}\n"


def _usage(context: click.Context) -> str:
    pieces = " ".join(context.command.collect_usage_pieces(context))
    return f"\\fB{_plain(context.command_path)}\\fR {_plain(pieces)}"


def _text(command: click.Command) -> str:
    """The help of a command: paragraphs, and lines that are to stay as they are."""
    told = textwrap.dedent(command.help or command.short_help or "").partition("\f")[0]
    paragraphs = re.split(r"\n\s*\n", told.strip())
    return "".join(_paragraph(one) for one in paragraphs if one.strip())


def _paragraph(text: str) -> str:
    if text.startswith("\b"):
        return f".PP\n.nf\n{_plain(text.lstrip(chr(8)).strip(chr(10)))}\n.fi\n"
    return f".PP\n{_plain(' '.join(text.split()))}\n"


def _options(context: click.Context, title: str = "") -> str:
    records = (one.get_help_record(context) for one in context.command.params)
    rows = "".join(
        f".TP\n\\fB{_plain(record[0])}\\fR\n{_plain(record[1])}\n"
        for record in records
        if record and record[1]
    )
    return f"{title}\n{rows}" if rows and title else rows


def _foot(*also: str) -> str:
    codes = "".join(f".TP\n\\fB{code}\\fR\n{_plain(text)}\n" for code, text in _CODES)
    files = "".join(f".TP\n\\fI{_plain(path)}\\fR\n{_plain(text)}\n" for path, text in _FILES)
    see = ", ".join(f"\\fB{_plain(one)}\\fR(1)" for one in (*also, "asterisk"))
    return f".SH EXIT STATUS\n{codes}.SH FILES\n{files}.SH SEE ALSO\n{see}\n"


def _plain(text: str) -> str:
    """Nothing in it is a request or an escape of roff, and hyphens can be copied as they are."""
    safe = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"^([.'])", r"\\&\1", safe, flags=re.MULTILINE)


if __name__ == "__main__":
    write_pages(Path(sys.argv[1]))
