"""``vm-ari keymap``: which keys users press, and the card that says so (MENU-02)."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from vm_ari.cli.opening import (
    FAILED,
    config_option,
    configured,
    fail,
    output_option,
    reported,
)
from vm_ari.cli.output import write

if TYPE_CHECKING:
    from vm_ari.config import Config
    from vm_ari.telephony.menu import KeyMap

COLUMNS = ("name", "used", "keys_of")


@click.group()
def keymap() -> None:
    """The keys of the telephone menus, and a card with them."""


@keymap.command("list")
@config_option
@output_option
def listed(path: Path, form: str) -> None:
    """The key maps that came with the program, and which one is used."""
    from vm_ari.telephony.menu import about_key_map, shipped_key_maps

    with reported():
        used = configured(path).calls.key_map
    names = [*shipped_key_maps(), *([used] if "/" in used else [])]
    rows = [{"name": name, "used": name == used, "keys_of": about_key_map(name)} for name in names]
    write(rows, COLUMNS, form)


@keymap.command()
@config_option
@click.argument("name", default="")
@click.option("-l", "--lang", "language", metavar="CODE", default="", help="Such as de.")
@click.option("--settings-only", is_flag=True, help="For users who do not hear messages by phone.")
@click.option("--pdf", type=click.Path(path_type=Path), metavar="FILE", help="A PDF, for print.")
def card(path: Path, name: str, language: str, settings_only: bool, pdf: Path | None) -> None:
    """The card of the key map NAME (or of a FILE with a / in its name), else of the one in use.

    It has exactly the menus and keys that users hear at this site.
    """
    from vm_ari.adapters.templates import MailTemplates
    from vm_ari.adapters.user_guide import GuideUnwritable, user_guide, user_guide_text
    from vm_ari.wiring.mail import guide_of

    with reported():
        config = configured(path)
        keys = _keys(config, name)
    pages = guide_of(config, keys, not settings_only)
    making = (pages, language or config.rules().language, MailTemplates(config.templates))
    try:
        if pdf:
            pdf.write_bytes(user_guide(*making, config.sounds))
        else:
            click.echo(user_guide_text(*making, config.sounds), nl=False)
    except GuideUnwritable as error:
        fail(error, FAILED)
    except OSError as error:
        fail(f"{pdf} cannot be written: {error.strerror}", FAILED)


def _keys(config: "Config", name: str) -> "KeyMap":
    from vm_ari.telephony.menu import BadKeyMap, load_key_map
    from vm_ari.wiring.menus import open_keys

    if not name:
        return open_keys(config)
    try:
        return load_key_map(name)
    except BadKeyMap as error:
        fail(error, FAILED)
