"""An Asterisk as an administrator runs it, of which we know nothing: plain, or laid out by FreePBX.

The files are our own words for what a fresh installation has: names, includes and order are those
of Debian's package `asterisk-config` and of FreePBX 17. Asterisk is fetched as for all tests.
"""

import asyncio
import dataclasses
import socket
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from tests.patience import AT_MOST
from vm_ari.adapters.asterisk import configuration
from vm_ari.adapters.asterisk.configuration import Instance
from vm_ari.adapters.asterisk.install import AsteriskInstall
from vm_ari.adapters.asterisk.ports import free_port
from vm_ari.adapters.asterisk.process import AsteriskFailed, PrivateAsterisk
from vm_ari.cli import main
from vm_ari.demo.world import World, _tables

START_SECONDS = AT_MOST

_MODULES = """\
[modules]
autoload=yes
; drivers that would listen everywhere
{silent}
"""
_SILENT = (
    *("chan_iax2", "chan_mgcp", "chan_skinny", "chan_unistim", "pbx_dundi", "chan_mobile"),
    *("res_corosync", "app_agent_pool", "res_config_ldap", "res_snmp", "chan_motif", "res_xmpp"),
    *("res_hep", "chan_ooh323", "chan_dahdi", "chan_sip", "chan_websocket", "pbx_ael", "pbx_lua"),
)
_PJSIP = """\
[udp]
type=transport
protocol=udp
bind=127.0.0.1:{sip}
[outside]
type=endpoint
context={outside}
disallow=all
allow=alaw,ulaw
direct_media=no
[outside]
type=identify
endpoint=outside
match=127.0.0.1
[101]
type=endpoint
context={inside}
disallow=all
allow=alaw,ulaw
auth=101
aors=101
mailboxes=101@{mailboxes}
[101]
type=auth
username=101
password={password}
[101]
type=aor
max_contacts=1
[global]
type=global
endpoint_identifier_order=auth_username,username,ip
"""
_HTTP = "[general]\nservername=Asterisk\n{enabled}bindaddr=127.0.0.1\nbindport={http}\n"
_MANAGER = "[general]\nenabled = yes\nport = {ami}\nbindaddr = 127.0.0.1\n"

PLAIN = {
    "http.conf": _HTTP.removesuffix("\n"),  # a file without an end of its last line
    "ari.conf": "[general]\n;enabled = no\t; it is by default\n",
    "manager.conf": f'{_MANAGER}#include "manager.d/*.conf"\n',
    "manager.d/README.conf": "; nothing\n",
    "modules.conf": _MODULES,
    "pjsip.conf": _PJSIP,
    "voicemail.conf": "[general]\nformat=wav\n[default]\n1234 => 4242,Example Mailbox,root@h\n",
    "extensions.conf": """\
[general]
static=yes
[globals]
CONSOLE=Console/dsp\t\t; the console
[house]
exten => 101,1,Dial(PJSIP/101,1)
 same => n,Gosub(vm-ari,${{EXTEN}},1)
 same => n,Hangup()
exten => *95,1,Playback(demo-echotest)
[trunk]
exten => _X.,1,Goto(house,${{FILTER(0-9,${{EXTEN}})}},1)
[default]
exten => s,1,Hangup()
""",
}
FREEPBX = {
    "http.conf": "; generated\n#include http_additional.conf\n#include http_custom.conf\n",
    "http_additional.conf": f"{_HTTP}sessionlimit=500\n",
    "http_custom.conf": "",
    "ari.conf": "; generated\n[general]\n#include ari_general_additional.conf\n"
    "#include ari_general_custom.conf\n\n#include ari_additional.conf\n"
    "#include ari_additional_custom.conf\n",
    "ari_general_additional.conf": "enabled=no\npretty=no\n",
    "ari_general_custom.conf": "",
    "ari_additional.conf": "[ucp]\ntype=user\npassword=other\nread_only=no\n",
    "ari_additional_custom.conf": "",
    "manager.conf": _MANAGER + "[admin]\nsecret = amp111\npermit=127.0.0.1/255.255.255.0\n"
    "read = all\nwrite = all\n#include manager_additional.conf\n#include manager_custom.conf\n",
    "manager_additional.conf": "",
    "manager_custom.conf": "; of the administrator\n[panel]\nsecret = own\nread = call",
    "modules.conf": _MODULES,
    "pjsip.conf": "#include pjsip_custom.conf\n#include pjsip.endpoint.conf\n",
    "pjsip_custom.conf": "",
    "pjsip.endpoint.conf": _PJSIP,
    "extensions.conf": """\
#include extensions_override_freepbx.conf
#include extensions_additional.conf
#include extensions_custom.conf
[from-pstn]
include => from-pstn-custom
include => ext-did
[from-internal]
include => from-internal-noxfer
include => from-internal-xfer
[from-internal-xfer]
include => from-internal-custom
include => from-internal-additional
""",
    "extensions_override_freepbx.conf": "",
    "extensions_additional.conf": """\
; generated
[globals]
#include globals_custom.conf
ASTETCDIR = /etc/asterisk
VM_PREFIX = *
[from-internal-additional]
include => ext-local
include => app-dialvm
[app-dialvm]
exten => *97,1,Macro(get-vmcontext,101)
exten => _*98X.,1,Macro(get-vmcontext,101)
exten => *98,1,Answer()
[ext-did]
exten => 030555101,1,Set(__FROM_DID=${{EXTEN}})
 same => n,Goto(ext-local,101,1)
[ext-local]
exten => 101,1,Set(__RINGTIMER=1)
 same => n,Gosub(macro-exten-vm,s,1(novm,101,1,1,1))
 same => n(dest),Set(__PICKUPMARK=)
 same => n,GotoIf($["${{DIALSTATUS}}"="NOANSWER"]?vm-ari-freepbx,s,1)
 same => n,GotoIf($["${{DIALSTATUS}}"="CHANUNAVAIL"]?vm-ari-freepbx,s,1)
[macro-exten-vm]
exten => s,1,Set(__EXTTOCALL=${{ARG2}})
 same => n,Dial(PJSIP/${{ARG2}},${{RINGTIMER}})
 same => n,Return()
""",
    "globals_custom.conf": "; of the administrator\nMINE = 1\n",
    "extensions_custom.conf": "[from-internal-custom]\nexten => 1234,1,Playback(demo-congrats)\n",
}


class House(PrivateAsterisk):
    """Somebody else's Asterisk: its configuration is written once, and never again by us."""

    def __init__(self, install: AsteriskInstall, directory: Path, files: Mapping[str, str]) -> None:
        instance = Instance(directory, free_port(socket.SOCK_DGRAM), free_port(), "unknown")
        super().__init__(install, instance)
        self.files = files
        self.ami_port = free_port()

    @property
    def console(self) -> str:
        """Its console, as a command for a shell."""
        return " ".join([*self.install.command, "-C", str(self._conf)])

    def lay_out(self, password: str) -> None:
        """Write the files that there are before we come."""
        main_file = configuration.write(self.instance, self.install)
        for path in self.instance.etc.iterdir():
            if path not in (main_file, self.instance.etc / "rtp.conf"):
                path.unlink()
        values = {
            "sip": self.instance.sip_port,
            "http": self.instance.http_port,
            "ami": self.ami_port,
            "password": password,
            "mailboxes": "vm-ari",
            "enabled": "enabled=yes\n" if self.files is FREEPBX else ";enabled=yes\n",
            "inside": "from-internal" if self.files is FREEPBX else "house",
            "outside": "from-pstn" if self.files is FREEPBX else "trunk",
            "silent": "\n".join(f"noload => {name}.so" for name in _SILENT),
        }
        log = "[general]\ndateformat=%F %T.%3q\n[logfiles]\nmessages => notice,warning,error\n"
        for name, text in {"logger.conf": log, **self.files}.items():
            path = self.instance.etc / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text.format(**values) if name != "logger.conf" else text)
            path.chmod(0o640 if "manager" in name else 0o644)

    def snapshot(self) -> dict[str, tuple[bytes, int]]:
        """Every file with its content and mode."""
        etc = self.instance.etc
        found = sorted(path for path in etc.rglob("*") if path.is_file())
        return {
            str(path.relative_to(etc)): (path.read_bytes(), path.stat().st_mode) for path in found
        }

    async def start(self) -> None:
        """Wait for its console: nobody knows whether it has ARI."""
        self._child = self._spawn()
        async with asyncio.timeout(START_SECONDS):
            while True:
                try:
                    await self.command("core waitfullybooted")
                    return
                except AsteriskFailed:
                    if self.pid is None:
                        raise self._failure("ended at once") from None
                    await asyncio.sleep(0.05)


class InstalledWorld(World):
    """Such an Asterisk, to which `install-config` brings us while it runs; then our controller."""

    def __init__(self, install: AsteriskInstall, directory: Path, files: Mapping[str, str]) -> None:
        super().__init__(install, directory)
        self.house = House(install, self.directory / "house", files)
        self.asterisk = self.house
        self.before: dict[str, tuple[bytes, int]] = {}
        self.installed: Result | None = None

    def command(self, name: str, *options: str) -> Result:
        """``vm-ari asterisk NAME`` for this Asterisk and this controller."""
        where = ["--directory", str(self.house.instance.etc), "-c", str(self.config)]
        return CliRunner().invoke(main, ["asterisk", name, *where, *options])

    async def _start(self) -> None:
        for part in (self.users, self.store):
            await part.start()
        self.config.touch(mode=0o600)
        self.configure("")
        await self.add(*self.people)
        self.house.lay_out(self.anna.phone_password)
        self.before = self.house.snapshot()
        await self.house.start()
        self.installed = await asyncio.to_thread(self.install)
        assert self.installed.exit_code == 0, self.installed.output
        made = tomllib.loads((self.directory / "conf.d/asterisk.toml").read_text())
        self.house.instance = dataclasses.replace(
            self.house.instance, ari_password=made["asterisk"]["password"]
        )
        await self.start_controller()

    def install(self, *options: str) -> Result:
        """Put our files into use."""
        context = () if self.house.files is FREEPBX else ("--phones", "house")
        chosen = (*context, "--language", "de", "--asterisk", self.house.console)
        return self.command("install-config", *chosen, *options)

    def _toml(self, settings: str) -> str:
        """Without what `install-config` is to find out."""
        tables: dict[str, Any] = tomllib.loads(super()._toml(settings))
        del tables["asterisk"], tables["spool"]
        return "".join(_tables(name, values) for name, values in tables.items())
