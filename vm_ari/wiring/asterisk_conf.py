"""Asterisk's configuration directory and the controller's own configuration, brought together.

Both have to hold the same passwords. One that the controller knows already is used; else one is
made, and put into a file of its own in ``conf.d/`` beside the controller's configuration.
"""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from vm_ari.adapters.asterisk_conf.planning import installation, removal
from vm_ari.adapters.asterisk_conf.reading import OURS, Flavour, NotConfigurable, Site
from vm_ari.adapters.asterisk_conf.wishes import (
    Account,
    Change,
    Chosen,
    Plan,
    Wishes,
    chosen_before,
)
from vm_ari.config import shared_files
from vm_ari.config.sources import BadSource, Given, drop_ins, from_file
from vm_ari.domain.asterisk_files import statements
from vm_ari.domain.feature_codes import choose

_NOTHING = Chosen()
DROP_IN = Path("conf.d/asterisk.toml")
_MADE = b"# Made by vm-ari asterisk install-config: the passwords of ari.conf and manager.conf.\n"
_USER = "vm-ari"


@dataclass(frozen=True)
class Prepared:
    """What would be done, and with what."""

    flavour: Flavour
    wishes: Wishes
    plan: Plan
    printed: str
    """Lines for the controller's configuration where there is no place for them; else empty."""


def prepare(site: Site, config: Path, said: Chosen = _NOTHING) -> Prepared:
    """Nothing is written yet; what is not *said* is as before. Blocks. Raises NotConfigurable."""
    earlier = (site.content(f"{OURS}/extensions.conf") or b"").decode(errors="replace")
    chosen = said.over(chosen_before(earlier))
    if not chosen.codes and not chosen.no_codes:  # and they stay, whoever takes them later
        chosen = replace(chosen, codes=choose(site.dialled))
    flavour = Flavour(chosen.flavour) if chosen.flavour else site.flavour()
    known = _known(config)
    wishes = _wishes(site, known, chosen)
    plan = installation(site, flavour, wishes)
    drop_in = config.parent / DROP_IN
    toml = _toml(site, known, wishes)
    if not toml or not config.parent.is_dir():
        return Prepared(flavour, wishes, plan, toml)
    like = config if config.exists() else config.parent  # who reads the one reads the other
    change = _own_file(drop_in, _MADE + toml.encode(), like)
    return Prepared(flavour, wishes, Plan([*plan.changes, change], plan.notes, plan.reload), "")


def prepare_removal(site: Site, config: Path) -> Plan:
    """The way back. Blocks. Raises NotConfigurable."""
    plan, drop_in = removal(site), config.parent / DROP_IN
    if not drop_in.is_file() or not drop_in.read_bytes().startswith(_MADE):
        return plan
    gone = Change(drop_in, drop_in.read_bytes(), None)
    return Plan([*plan.changes, gone], plan.notes, plan.reload)


def _own_file(path: Path, content: bytes, like: Path) -> Change:
    before = path.read_bytes() if path.exists() else None
    if before is not None and not before.startswith(_MADE):
        raise NotConfigurable(f"{path} is not ours: give it another name, and try again")
    return Change(path, before, content, secret=True, like=like)


def _known(config: Path) -> Mapping[str, Any]:
    """What the controller's files say, without ours. Raises NotConfigurable."""
    files = [path for path in (config, *drop_ins(config)) if path != config.parent / DROP_IN]
    try:
        return Given(config, [from_file(path) for path in files if path.exists()]).values
    except BadSource as error:
        raise NotConfigurable(str(error)) from None


def _wishes(site: Site, known: Mapping[str, Any], chosen: Chosen) -> Wishes:
    asterisk, house = known.get("asterisk", {}), shared_files()
    return Wishes(
        shipped=house / "asterisk-conf",
        sounds=Path(chosen.sounds or known.get("sounds") or house / "sounds").absolute(),
        ari=_account(site, asterisk, "ari.conf", "password"),
        manager=_manager(site, known.get("manager", {}), chosen),
        app=asterisk.get("app", "vm-ari"),
        language=chosen.language or known.get("site", {}).get("language", "en"),
        codes=chosen.codes,
        chosen=chosen,
    )


def _manager(site: Site, known: Mapping[str, Any], chosen: Chosen) -> Account | None:
    """Where nobody has said: if the interface is switched on already."""
    wanted = chosen.manager
    if wanted is None:
        enabled = site.value("manager.conf", "general", "enabled") or ""
        wanted = bool(known.get("user")) or enabled.lower() in ("yes", "true", "1", "on")
    return _account(site, known, "manager.conf", "secret") if wanted else None


def _account(site: Site, known: Mapping[str, Any], name: str, key: str) -> Account:
    """The controller's password, else the one that an earlier run has made, else a new one."""
    user = known.get("user") or _USER
    if password := _secret(known, key):
        return Account(user, password)
    written = (site.content(f"{OURS}/{name}") or b"").decode(errors="replace")
    earlier = [one.value for one in statements(written) if (one.section, one.key) == (user, key)]
    return Account(user, earlier[-1] if earlier else secrets.token_urlsafe(24))


def _secret(known: Mapping[str, Any], key: str) -> str:
    """From the table, or from the file that it names."""
    value = known.get(key) or ""
    if value or not known.get(f"{key}_file"):
        return str(value)
    try:
        return Path(known[f"{key}_file"]).read_text(encoding="utf-8").partition("\n")[0].strip()
    except (OSError, UnicodeDecodeError) as error:
        raise NotConfigurable(f"{known[f'{key}_file']} cannot be read: {error}") from error


def _toml(site: Site, known: Mapping[str, Any], wishes: Wishes) -> str:
    """The lines that the controller's configuration lacks."""
    tables: dict[str, dict[str, object]] = {}
    if not _secret(known.get("asterisk", {}), "password"):
        tables["asterisk"] = {
            "url": site.http_url(),
            "user": wishes.ari.user,
            "password": wishes.ari.password,
        }
    manager = known.get("manager", {})
    if wishes.manager and not _secret(manager, "secret"):
        tables["manager"] = {"user": wishes.manager.user, "secret": wishes.manager.password}
        port = site.value("manager.conf", "general", "port") or ""
        if port.isdecimal():
            tables["manager"]["port"] = int(port)
    spool = site.recordings()
    if spool and "spool" not in known:
        tables["spool"] = {"directory": str(spool)}
    return "\n".join(_table(name, table) for name, table in tables.items())


def _table(name: str, values: Mapping[str, object]) -> str:
    """JSON's strings and numbers are TOML's."""
    lines = [f"{key} = {json.dumps(value)}" for key, value in values.items()]
    return "\n".join([f"[{name}]", *lines, ""])
