"""``vm-ari init``: the wizard that makes a configuration, and proves it by a call (OPS-06)."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from vm_ari.cli.opening import FAILED, config_option, fail, on_users, reported

if TYPE_CHECKING:
    from vm_ari.domain.entries import Entry
    from vm_ari.services.users import Users


@click.command()
@config_option
@click.option(
    "--answers", type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Take the answers from this file, and ask nothing.",
)  # fmt: skip
@click.option(
    "--write-answers", type=click.Path(path_type=Path, dir_okay=False),
    help="Write what was answered into this file, passwords included.",
)  # fmt: skip
@click.option(
    "--asterisk-directory", type=click.Path(path_type=Path, file_okay=False),
    default="/etc/asterisk", show_default=True, envvar="VM_ARI_ASTERISK_DIRECTORY",
    help="Asterisk's configuration directory.",
)  # fmt: skip
@click.option(
    "--asterisk-command", default="asterisk", show_default=True,
    help="How Asterisk's console is called.",
)  # fmt: skip
def init(
    path: Path,
    answers: Path | None,
    write_answers: Path | None,
    asterisk_directory: Path,
    asterisk_command: str,
) -> None:
    """Ask what cannot be found out, try each answer, and write the configuration.

    It finds Asterisk by its own files, mail and directory servers by DNS and on this machine,
    country and language by number and time zone. Whatever is answered is tried at once. The file is
    written at the end, in one step and readable by its owner only; an older one is kept, and its
    values are the defaults, so it may be run again. At last a message is left and heard.

    Ends with 1 if something does not work, or the wizard was stopped.
    """
    import os

    from vm_ari.setup_wizard.answers import FromFile
    from vm_ari.setup_wizard.answers import write_answers as write
    from vm_ari.setup_wizard.script import Place, Wizard
    from vm_ari.setup_wizard.talk import Stopped, Talk
    from vm_ari.setup_wizard.terminal import Terminal

    def install() -> bool:
        return _installed(path, asterisk_directory, asterisk_command)

    place = Place(path, asterisk_directory, os.environ, install, lambda *who: _add(path, *who))
    try:
        from_file = FromFile(answers) if answers else None
        talk = Talk(from_file or Terminal())
        with reported():
            well = Wizard(talk, place).run()
    except Stopped as stopped:
        fail(stopped, FAILED)
    except (click.Abort, KeyboardInterrupt):
        fail("\nStopped: vm-ari init may be run again.", FAILED)
    for complaint in from_file.complaints() if from_file else ():
        click.echo(complaint, err=True)
    if write_answers:
        write(write_answers, talk.answers)
        click.echo(f"The answers are written: {write_answers}")
    if not well:
        raise SystemExit(FAILED)


def _installed(path: Path, directory: Path, command: str) -> bool:
    """The command that does only this."""
    from vm_ari.cli.asterisk import install_config

    words = ["-c", str(path), "--directory", str(directory), "--asterisk", command]
    try:
        install_config.main(words, standalone_mode=False)
    except SystemExit as end:
        return not end.code
    return True


def _add(path: Path, entry: "Entry", pin: str) -> None:
    """Whoever is there already stays as he is."""

    async def add(desk: "Users") -> None:
        whole = await desk.prepare(entry)
        if await desk.register.entry_by_id(whole.id) is None:
            await desk.register.add_entries([desk.with_pin(whole, pin)])

    on_users(path, add)
