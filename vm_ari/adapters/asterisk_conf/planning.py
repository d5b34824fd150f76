"""What is changed in Asterisk's configuration directory, or taken back; nothing is written."""

from collections.abc import Sequence
from pathlib import Path

from vm_ari.adapters.asterisk_conf.reading import OURS, Flavour, Site
from vm_ari.adapters.asterisk_conf.texts import Texts
from vm_ari.adapters.asterisk_conf.wishes import Change, Plan, Wishes
from vm_ari.domain.asterisk_files import with_block

BACKUPS = f"{OURS}/backup"
_SIGNS = (b"; Made by vm-ari ", b"; vm_ari ")
"""How our own files begin, and the copies of shipped ones."""
_RELOAD = ("module reload http", "module reload res_ari.so", "manager reload", "dialplan reload")


def installation(site: Site, flavour: Flavour, wishes: Wishes) -> Plan:
    """What to change so that our files are in use. Raises NotConfigurable."""
    if site.content("extensions.conf") is None:
        site.flavour()  # says what is missing
    planner = Texts(site, flavour, wishes)
    own = [
        _own(site, name, text, secret=name != "extensions.conf")
        for name, text in planner.own_files().items()
    ]
    blocks = planner.blocks()
    foreign = [_block(site, name, body) for name, body in blocks.items()]
    unused = [_without(site, name) for name in _with_blocks(site) if name not in blocks]
    files = {change.path for change in own}
    gone = [Change(path, path.read_bytes(), None) for path in _own_files(site) if path not in files]
    changes = [*own, *foreign, *unused, *gone]
    reload = _RELOAD if any(one.does_something for one in changes) else ()
    return Plan(changes, planner.notes(), reload)


def removal(site: Site) -> Plan:
    """What to change so that everything is as before. Raises NotConfigurable."""
    blocks = [_without(site, name) for name in _with_blocks(site)]
    changed = [one for one in blocks if _differs(one)]
    kept = [one.backup for one in changed]
    copies = [path for path in _files(site.directory / BACKUPS) if path not in kept]
    notes = [
        f"{one.path} was changed by others since: only our lines are taken out of it. "
        f"As it was before is kept in {one.backup}."
        for one in changed
    ]
    gone = [Change(path, path.read_bytes(), None) for path in (*_own_files(site), *copies)]
    return Plan([*blocks, *gone], notes, _RELOAD if blocks else ())


def _own(site: Site, name: str, text: str, *, secret: bool) -> Change:
    path = f"{OURS}/{name}"
    return Change(site.place(path), site.content(path), text.encode(), secret)


def _block(site: Site, name: str, body: str) -> Change:
    site.before(name)  # raises where an earlier block is damaged
    before = site.content(name)
    return Change(site.place(name), before, with_block(before, body), backup=_backup(site, name))


def _without(site: Site, name: str) -> Change:
    return Change(
        site.place(name), site.content(name), site.before(name), backup=_backup(site, name)
    )


def _differs(change: Change) -> bool:
    """From the copy of what was there before us."""
    assert change.backup
    return change.backup.is_file() and change.backup.read_bytes() != change.after


def _with_blocks(site: Site) -> Sequence[str]:
    """All files that may hold one, wherever an earlier version has put it."""
    names = []
    for pattern in ("*.conf", "*.d/*.conf"):
        for path in sorted(site.directory.glob(pattern)):
            content = site.content(str(path.relative_to(site.directory))) or b""
            if b"; >>> vm_ari" in content:
                names.append(str(path.relative_to(site.directory)))
    return names


def _backup(site: Site, name: str) -> Path:
    return site.directory / BACKUPS / name.replace("/", "__")


def _own_files(site: Site) -> Sequence[Path]:
    """Those below ``vm_ari/`` that we have made, whatever else is there."""
    found = _files(site.directory / OURS)
    return [path for path in found if path.read_bytes().startswith(_SIGNS)]


def _files(directory: Path) -> Sequence[Path]:
    found = sorted(directory.glob("*"))
    return [path for path in found if path.is_file() and not path.name.startswith(".")]
