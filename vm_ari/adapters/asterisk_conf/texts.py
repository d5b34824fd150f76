"""The lines that each flavour of Asterisk's configuration gets, and in which file.

Everything that says something is in files of our own below ``vm_ari/``. The files that others keep
get a block of a few lines at their end: ``#include``, and settings that only work there. FreePBX
writes its files anew at any moment, so only its ``*_custom.conf`` get a block; Wazo has directories
for files of others.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from vm_ari.adapters.asterisk_conf.reading import OURS, Flavour, NotConfigurable, Site, may_read
from vm_ari.adapters.asterisk_conf.wishes import Wishes
from vm_ari.domain.feature_codes import is_taken

SESSIONS = 500
"""Connections of http.conf; its default of 100 is few for several per call."""
MADE = "; Made by vm-ari asterisk install-config, which writes it anew: put own lines elsewhere.\n"
_FREEPBX = "extensions_vm_ari_freepbx"


@dataclass(frozen=True)
class _Places:
    """Where a flavour takes other people's lines."""

    dialplan: str
    ari: str
    manager: str
    http: str | None
    """None: its own web interface decides."""
    ari_general: str | None
    """A file that is read inside of ``[general]``; None: the section is opened again."""
    phones: str
    out: str


_PLACES = {
    Flavour.PLAIN: _Places(
        "extensions.conf", "ari.conf", "manager.conf", "http.conf", None, "", ""
    ),
    Flavour.FREEPBX: _Places(
        "extensions_custom.conf",
        "ari_additional_custom.conf",
        "manager_custom.conf",
        None,
        "ari_general_custom.conf",
        "from-internal-custom",
        "from-internal",
    ),
    Flavour.WAZO: _Places(
        "extensions_extra.d/vm-ari.conf",
        "ari.d/vm-ari.conf",
        "manager.d/vm-ari.conf",
        "http.d/vm-ari.conf",
        None,
        "xivo-extrafeatures",
        "",
    ),
}


@dataclass(frozen=True)
class Texts:
    """The texts for one site."""

    site: Site
    flavour: Flavour
    wishes: Wishes

    @property
    def places(self) -> _Places:
        """Where the flavour takes our lines."""
        return _PLACES[self.flavour]

    def own_files(self) -> Mapping[str, str]:
        """Name below ``vm_ari/`` and text."""
        files = {"extensions.conf": self._dialplan(), "ari.conf": self._ari()}
        if self.wishes.manager:
            files["manager.conf"] = self._manager()
        if not self._is_readable:
            files |= {path.name: path.read_text() for path in self._shipped()}
        return files

    def blocks(self) -> Mapping[str, str]:
        """File of others and the lines that it gets."""
        places, blocks = self.places, {}
        blocks[places.dialplan] = f"#include {OURS}/extensions.conf"
        general = self._ari_general()
        if places.ari_general:
            blocks[places.ari_general] = general
            general = ""
        blocks[places.ari] = f"{general}#include {OURS}/ari.conf"
        if self.wishes.manager:
            blocks[places.manager] = f"{self._manager_general()}#include {OURS}/manager.conf"
        if places.http and (lines := self._http(places.http)):
            blocks[places.http] = lines
        if self.flavour is Flavour.PLAIN:
            blocks |= self._plain()
        return blocks

    def _plain(self) -> Mapping[str, str]:
        blocks = {}
        if self.site.content("modules.conf") is not None and not self._has_voicemail():
            include = self._include("modules_vm_ari")
            blocks["modules.conf"] = f"{self._open('modules.conf', 'modules')}{include}"
        if self.site.content("pjsip.conf") is not None:
            blocks["pjsip.conf"] = self._include("pjsip_vm_ari")
        return blocks

    def _dialplan(self) -> str:
        lines = [
            MADE,
            self.wishes.chosen.line(),
            *self._globals(),
            *(self._include(name) for name in self._contexts()),
        ]
        if self.wishes.codes and self._phones():
            lines.append(self._codes())
        return "".join(lines)

    def _globals(self) -> Iterator[str]:
        """Those that the site has set itself stay."""
        wanted = {
            "VM_ARI_APP": self.wishes.app,
            "VM_ARI_SOUNDS": str(self.wishes.sounds),
            "VM_ARI_LANGUAGE": self.wishes.language,
            "VM_ARI_OUT_CONTEXT": self.wishes.chosen.out or self.places.out,
        }
        dialplan = self.site.says("extensions.conf")
        theirs = {one.key.upper() for one in dialplan if one.section == "globals"}
        yield self._open("extensions.conf", "globals", self.places.dialplan)
        for name, value in wanted.items():
            if value and name not in theirs:
                yield f"{name} = {_value(value)}\n"

    def _contexts(self) -> Sequence[str]:
        """Everything of ours for the dialplan; what is only for FreePBX only there."""
        names = sorted(path.stem for path in self.wishes.shipped.glob("extensions_vm_ari*.conf"))
        return [name for name in names if name != _FREEPBX or self._is(Flavour.FREEPBX)]

    def _codes(self) -> str:
        """A phone is known by its endpoint, never by the number that it shows."""
        codes = self.wishes.codes
        assert codes
        known = '${IF($["${CHANNEL(channeltype)}"="PJSIP"]?${CHANNEL(endpoint)})}'
        return (
            f"\n[{_value(self._phones())}]\n"
            f"exten => {codes.own},1,Set(VM_ARI_PHONE={known})\n"
            " same => n,Goto(vm-ari-login,s,1)\n"
            f"exten => {codes.other},1,Goto(vm-ari-login,s,1)\n"
        )

    def _ari(self) -> str:
        account = self.wishes.ari
        return (
            f"{MADE}[{_value(account.user)}]\ntype = user\nread_only = no\n"
            f"password = {_value(account.password)}\n"
        )

    def _ari_general(self) -> str:
        lines = "enabled = yes\nwebsocket_write_timeout = 5000\n"
        opened = self._open("ari.conf", "general", self.places.ari)
        if self.places.ari_general is None:
            return f"{opened}{lines}"
        self.site.sections_before("ari.conf", self.places.ari_general)  # it must be read at all
        return lines

    def _manager(self) -> str:
        account = self.wishes.manager
        assert account
        return (
            f"{MADE}{self._include('manager_vm_ari')}"
            f"[{_value(account.user)}](vm-ari-manager)\nsecret = {_value(account.password)}\n"
        )

    def _manager_general(self) -> str:
        """Only what lacks: an interface that is switched on is left as it is."""
        opened, lines = self._open("manager.conf", "general", self.places.manager), ""
        if not is_yes(self.site.value("manager.conf", "general", "enabled")):
            lines += "enabled = yes\n"
            if self.site.value("manager.conf", "general", "bindaddr") is None:
                lines += "bindaddr = 127.0.0.1\n"
        if not is_yes(self.site.value("manager.conf", "general", "timestampevents")):
            lines += "timestampevents = yes\n"
        return f"{opened}{lines}" if lines else ""

    def _http(self, name: str) -> str:
        """Loopback only, where nothing else is said."""
        lines = ""
        if not is_yes(self.site.value("http.conf", "general", "enabled")):
            lines += "enabled = yes\n"
        if self.site.value("http.conf", "general", "bindaddr") is None:
            lines += "bindaddr = 127.0.0.1\n"
        if _number(self.site.value("http.conf", "general", "sessionlimit")) < SESSIONS:
            lines += f"sessionlimit = {SESSIONS}\n"
        return f"{self._open('http.conf', 'general', name)}{lines}" if lines else ""

    def notes(self) -> Sequence[str]:
        """What is left to a person."""
        return list(self._notes())

    def _notes(self) -> Iterator[str]:
        bind = self.site.value("http.conf", "general", "bindaddr") or "127.0.0.1"
        if bind not in ("127.0.0.1", "::1", "localhost"):
            yield (
                f"http.conf: Asterisk's HTTP server listens on {bind}. Let only this machine "
                "reach it, by bindaddr = 127.0.0.1 or by a firewall."
            )
        if self._is(Flavour.PLAIN) and self._has_voicemail():
            yield (
                "voicemail.conf has mailboxes, so Asterisk's own voicemail stays loaded. No number "
                "may have a mailbox there and in vm_ari: its lamp would be put out."
            )
        if not may_read(self.wishes.sounds, self.site.account):
            yield (
                f"Asterisk may not read the prompts in {self.wishes.sounds}. Copy them "
                "(cp -r) to a place like /usr/local/share/vm-ari/sounds, and name it: --sounds"
            )
        if self.wishes.codes is None and not self.wishes.chosen.no_codes:
            yield "No star code is free: choose two with --codes, such as --codes '*195,*196'."
        codes = self.wishes.codes
        for code in (codes.own, codes.other) if codes else ():
            if is_taken(code, self.site.dialled):
                yield f"{code} is in your dialplan already: choose others with --codes."
        if self._is(Flavour.PLAIN) and "modules.conf" in self.blocks():
            yield "Asterisk's own voicemail (app_voicemail) is left out from its next start on."

    def _has_voicemail(self) -> bool:
        """Mailboxes of Asterisk's own voicemail, but those of its sample file."""
        found = self.site.says("voicemail.conf")
        boxes = [one for one in found if one.section not in ("general", "zonemessages", "")]
        return any(one.key and not _is_sample(one.value) for one in boxes)

    def _open(self, name: str, section: str, inner: str = "") -> str:
        """A section that is there is added to; a second one of that name would be passed over."""
        there = section in self.site.sections_before(name, inner or name)
        return f"[{section}](+)\n" if there else f"[{section}]\n"

    def _include(self, name: str) -> str:
        """By its place, or our copy where Asterisk may not read that."""
        if self._is_readable:
            return f'#include "{_value(self.wishes.shipped / name)}.conf"\n'
        return f"#include {OURS}/{name}.conf\n"

    @cached_property
    def _is_readable(self) -> bool:
        return all(may_read(path, self.site.account) for path in self._shipped())

    def _shipped(self) -> Sequence[Path]:
        found = sorted(self.wishes.shipped.glob("*_vm_ari*.conf"))
        if not found:
            raise NotConfigurable(
                f"our files for Asterisk are not in {self.wishes.shipped}: install vm-ari again"
            )
        return found

    def _phones(self) -> str:
        return self.wishes.chosen.phones or self.places.phones

    def _is(self, flavour: Flavour) -> bool:
        return self.flavour is flavour


def is_yes(value: str | None) -> bool:
    """As Asterisk reads it (ast_true)."""
    return (value or "").strip().lower() in ("yes", "true", "y", "t", "1", "on")


def _number(value: str | None) -> int:
    return int(value) if value and value.strip().isdecimal() else 100


def _is_sample(mailbox: str) -> bool:
    """Of the voicemail.conf that Asterisk brings along."""
    return any(word in mailbox for word in ("Example Mailbox", "Company2 User", "1234@default"))


def _value(text: object) -> str:
    """One line, in which a semicolon begins no comment. Raises NotConfigurable."""
    if any(ord(letter) < ord(" ") for letter in str(text)):
        raise NotConfigurable("a value for Asterisk's configuration must be one line")
    return str(text).replace(";", "\\;")
