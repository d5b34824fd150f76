"""The configuration of a private Asterisk: what ``asterisk-conf/`` says, plus what it leaves open.

The include files an administrator uses are included unchanged; added are only directories,
ports, one ARI user, phones and a trunk. Nothing outside the instance's directory is read or
written, so that any number of instances run side by side.
"""

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from vm_ari.adapters.asterisk.install import AsteriskInstall
from vm_ari.adapters.asterisk.modules import MODULES

VOICEMAIL_KEY = "*98"  # phones dial it to hear their messages
MWI_CONTEXT = "vm-ari"  # mailboxes are <number>@vm-ari, as in extensions_vm_ari.conf
_LONGEST_SOCKET = 107  # bytes of a Unix socket path (unix(7)), Asterisk cuts longer ones
_RTP_FIRST, _RTP_LAST, _RTP_SHARE = 10000, 31999, 400  # below the kernel's ephemeral ports


@dataclass(frozen=True)
class Phone:
    """A SIP phone that may register; its number is user name, extension and mailbox."""

    number: str
    password: str | None = None  # None: registers without authentication
    context: str = "vm-ari-phones"
    subscribes: bool = False  # asks for its lamp by SUBSCRIBE instead of being told

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[+0-9A-Za-z]+", self.number):  # it becomes a section and a pattern
            raise ValueError(f"a phone is named by digits and letters, not {self.number!r}")


@dataclass(frozen=True)
class Instance:
    """What one private Asterisk is given; everything else is in ``asterisk-conf/``."""

    directory: Path
    sip_port: int  # UDP
    http_port: int  # TCP, ARI
    ari_password: str = field(repr=False)
    ari_user: str = "vm-ari"
    address: str = "127.0.0.1"  # of SIP and RTP; ARI always listens on loopback only
    rtp_ports: tuple[int, int] | None = None  # first and last; None: derived from sip_port
    ami_port: int | None = None  # None: no manager interface; else user and password as for ARI
    phones: tuple[Phone, ...] = ()
    trunk_context: str | None = "vm-ari-trunk"  # calls from 127.0.0.1 by no phone; None: refused
    sounds: Path | None = None  # None: the dialplan's own default
    language: str = "en"
    music: Path | None = None  # directory with music on hold
    extra_modules: tuple[str, ...] = ()
    extra_configuration: Mapping[str, str] = field(default_factory=dict)  # file name -> more text
    shipped: Path | None = None  # None: found beside the program

    def __post_init__(self) -> None:
        object.__setattr__(self, "directory", self.directory.absolute())

    @property
    def rtp_range(self) -> tuple[int, int]:
        """First and last UDP port for audio: by default one of 55 shares of 200 calls."""
        if self.rtp_ports is not None:
            return self.rtp_ports
        shares = (_RTP_LAST + 1 - _RTP_FIRST) // _RTP_SHARE
        first = _RTP_FIRST + self.sip_port % shares * _RTP_SHARE
        return first, first + _RTP_SHARE - 1

    @property
    def etc(self) -> Path:
        """The directory of the rendered files; the main one is ``asterisk.conf``."""
        return self.directory / "etc"

    @property
    def spool(self) -> Path:
        """Asterisk's spool; ARI's recordings lie in ``recording/`` below it."""
        return self.directory / "spool"

    @property
    def log(self) -> Path:
        """Asterisk's log of this instance: notices, warnings, errors and verbose lines."""
        return self.directory / "log" / "messages"


def shipped_configuration() -> Path:
    """Where ``asterisk-conf/`` lies: in the source tree, or where a package installs it."""
    candidates = (
        Path(__file__).parents[3] / "asterisk-conf",
        Path(sys.prefix) / "share/vm-ari/asterisk-conf",
        Path("/usr/share/vm-ari/asterisk-conf"),
    )
    for candidate in candidates:
        if (candidate / "extensions_vm_ari.conf").exists():
            return candidate
    raise FileNotFoundError(f"asterisk-conf is in none of {', '.join(map(str, candidates))}")


def write(instance: Instance, install: AsteriskInstall) -> Path:
    """Write all files of *instance* and make its directories; return the asterisk.conf.

    Raises ValueError for a value that a configuration file cannot hold.
    """
    if len(str(instance.directory / "run" / "asterisk.ctl")) > _LONGEST_SOCKET:
        raise ValueError(f"the path {instance.directory} is too long for a control socket")
    for name in (
        "cache",
        "data/moh",
        "etc",
        "log",
        "run",
        "spool/recording/vm-ari/fallback",
        "var/keys",
    ):
        (instance.directory / name).mkdir(parents=True, exist_ok=True)
    _link_data(instance.directory / "data", install.data)
    texts = dict(render(instance, install))
    for name, more in instance.extra_configuration.items():
        texts[name] = texts.get(name, "") + more
    for name, text in texts.items():
        (instance.etc / name).write_text(text, encoding="utf-8")
        (instance.etc / name).chmod(0o600)  # passwords
    return instance.etc / "asterisk.conf"


def _link_data(data: Path, shipped: Path) -> None:
    """Asterisk insists on its documentation; prompts are linked by language where there are any.

    Debian's ``sounds/en`` is a link that only an installation makes, hence the second name.
    """
    (data / "sounds").mkdir(parents=True, exist_ok=True)
    links = {data / name: shipped / name for name in ("documentation", "rest-api")}
    for pattern in ("[a-z][a-z]", "[a-z][a-z]_*"):
        for language in sorted(shipped.glob(f"sounds/{pattern}")):
            links.setdefault(data / "sounds" / language.name[:2], language)
    for link, target in links.items():
        link.unlink(missing_ok=True)  # of an earlier start by another Asterisk
        if target.is_dir():
            link.symlink_to(target)


def render(instance: Instance, install: AsteriskInstall) -> Iterator[tuple[str, str]]:
    """Yield name and text of every configuration file."""
    shipped = (instance.shipped or shipped_configuration()).absolute()
    yield "asterisk.conf", _asterisk_conf(instance, install)
    yield "modules.conf", _modules_conf(instance, install, shipped)
    yield "logger.conf", _LOGGER_CONF
    yield "http.conf", _HTTP_CONF.format(port=instance.http_port)
    yield "ari.conf", _ari_conf(instance, shipped)
    yield "manager.conf", _manager_conf(instance, shipped)
    yield "rtp.conf", "[general]\nrtpstart={}\nrtpend={}\n".format(*instance.rtp_range)
    yield "pjsip.conf", _pjsip_conf(instance, shipped)
    yield "extensions.conf", _extensions_conf(instance, shipped)
    yield "musiconhold.conf", _musiconhold_conf(instance)
    yield "indications.conf", _INDICATIONS_CONF
    yield "minivm.conf", "[general]\nformat=wav\n"
    yield "pjsip_notify.conf", "; must exist, or res_pjsip_notify refuses to load\n"
    for name in ("cdr.conf", "cel.conf"):
        yield name, "[general]\nenable=no\n"
    for name in _EMPTY:
        yield name, "; nothing to set, but Asterisk complains where it is missing\n"


def _value(text: object) -> str:
    """A value as a configuration file holds it: one line, a semicolon is no comment."""
    if any(ord(character) < ord(" ") for character in str(text)):
        raise ValueError("a configuration value must be one line without control characters")
    return str(text).replace(";", "\\;")


def _asterisk_conf(instance: Instance, install: AsteriskInstall) -> str:
    here = instance.directory
    directories = {
        "astcachedir": here / "cache",
        "astetcdir": instance.etc,
        "astmoddir": install.modules,
        "astvarlibdir": here / "var",
        "astdbdir": here / "var",
        "astkeydir": here / "var",
        "astdatadir": here / "data",
        "astagidir": here / "data",
        "astspooldir": instance.spool,
        "astrundir": here / "run",
        "astlogdir": here / "log",
        "astsbindir": Path(install.command[-1]).parent,
    }
    lines = [f"{name} => {_value(path)}" for name, path in directories.items()]
    options = f"systemname = vm-ari-{instance.sip_port}\nnocolor = yes\nlive_dangerously = no\n"
    return "\n".join(["[directories]", *lines, "", "[options]", options])


def _modules_conf(instance: Instance, install: AsteriskInstall, shipped: Path) -> str:
    """Of our own list only what this release has (older ones lack a few)."""
    modules = [name for name in MODULES if (install.modules / name).exists()]
    lines = [f"load => {name}" for name in (*modules, *instance.extra_modules)]
    if "app_voicemail.so" not in instance.extra_modules:  # noload would win over load
        lines.append(f'#include "{shipped / "modules_vm_ari.conf"}"')
    return "\n".join(["[modules]", "autoload=no", *lines, ""])


def _ari_conf(instance: Instance, shipped: Path) -> str:
    return (
        "[general]\nenabled = yes\nwebsocket_write_timeout = 5000\n"
        f'#include "{shipped / "ari_vm_ari.conf"}"\n'
        f"[{_value(instance.ari_user)}]\ntype = user\nread_only = no\n"
        f"password = {_value(instance.ari_password)}\n"
    )


def _manager_conf(instance: Instance, shipped: Path) -> str:
    if instance.ami_port is None:
        return "[general]\nenabled = no\n"
    return (
        f"[general]\nenabled = yes\nbindaddr = 127.0.0.1\nport = {instance.ami_port}\n"
        "timestampevents = yes\n"
        f'#include "{shipped / "manager_vm_ari.conf"}"\n'
        f"[{_value(instance.ari_user)}](vm-ari-manager)\n"
        f"secret = {_value(instance.ari_password)}\nwrite = reporting,system\n"
    )


def _pjsip_conf(instance: Instance, shipped: Path) -> str:
    parts = [
        _PJSIP_GENERAL.format(address=instance.address, port=instance.sip_port),
        f'#include "{shipped / "pjsip_vm_ari.conf"}"\n',
        "[private-media](!)\ntype=endpoint\n",
    ]
    if instance.address != "0.0.0.0":  # noqa: S104  # audio on that address only, too
        parts.append(f"media_address={instance.address}\nbind_rtp_to_media_address=yes\n")
    if instance.trunk_context is not None:
        parts.append(_TRUNK.format(context=_value(instance.trunk_context)))
    parts += [_phone_conf(phone) for phone in instance.phones]
    return "\n".join(parts)


def _phone_conf(phone: Phone) -> str:
    """Endpoint, address of record and login of a phone; the lamp by one way, never by both."""
    number, lamp = _value(phone.number), f"mailboxes={phone.number}@{MWI_CONTEXT}\n"
    endpoint = (
        f"[{number}](vm-ari-phone,private-media)\naors={number}\n"
        f'context={_value(phone.context)}\ncallerid="" <{number}>\n'
    )
    aor = f"[{number}]\ntype=aor\nmax_contacts=4\nremove_existing=yes\n"
    if phone.subscribes:
        aor += lamp
    else:
        endpoint += lamp
    if phone.password is None:
        return endpoint + aor
    login = f"[{number}]\ntype=auth\nusername={number}\npassword={_value(phone.password)}\n"
    return endpoint + f"auth={number}\n" + aor + login


def _extensions_conf(instance: Instance, shipped: Path) -> str:
    variables = {"VM_ARI_LANGUAGE": instance.language}
    if instance.sounds is not None:
        variables["VM_ARI_SOUNDS"] = str(instance.sounds.absolute())
    lines = ["[general]", "static=yes", "writeprotect=yes", "[globals]"]
    lines += [f"{name}={_value(value)}" for name, value in variables.items()]
    lines += [f'#include "{shipped / name}"' for name in _DIALPLANS if (shipped / name).exists()]
    lines.append(_CONTEXTS)
    for phone in instance.phones:
        lines.append(f"exten => {phone.number},1,Dial(PJSIP/${{EXTEN}},20)")
        lines.append(" same => n,Goto(vm-ari,${EXTEN},1)")
    return "\n".join([*lines, ""])


def _musiconhold_conf(instance: Instance) -> str:
    if instance.music is None:
        return "[general]\n"
    return f"[default]\nmode=files\ndirectory={_value(instance.music.absolute())}\n"


_DIALPLANS = (
    "extensions_vm_ari.conf",
    "extensions_vm_ari_fax.conf",
    "extensions_vm_ari_fax_out.conf",
    "extensions_vm_ari_conference.conf",
)
_EMPTY = (
    *("acl.conf", "ccss.conf", "features.conf", "pjproject.conf", "stasis.conf", "udptl.conf"),
    *("websocket_client.conf", "res_fax.conf"),
)

_LOGGER_CONF = """\
[general]
dateformat=%F %T.%3q
[logfiles]
messages => notice,warning,error,verbose
"""

_HTTP_CONF = """\
[general]
enabled=yes
bindaddr=127.0.0.1
bindport={port}
sessionlimit=500
"""

_PJSIP_GENERAL = f"""\
[global]
type=global
user_agent=vm-ari
endpoint_identifier_order=username,ip
default_voicemail_extension={VOICEMAIL_KEY}

[udp]
type=transport
protocol=udp
bind={{address}}:{{port}}
"""

_TRUNK = """\
[trunk](private-media)
context={context}
disallow=all
allow=alaw,ulaw,g722
direct_media=no
dtmf_mode=rfc4733
send_diversion=yes
trust_id_inbound=yes
[trunk]
type=identify
endpoint=trunk
match=127.0.0.1
"""

_CONTEXTS = f"""\
[vm-ari-trunk]
exten => _X.,1,Goto(vm-ari,${{FILTER(0-9,${{EXTEN}})}},1)
exten => _+X.,1,Goto(vm-ari,+${{FILTER(0-9,${{EXTEN}})}},1)
[vm-ari-phones]
exten => {VOICEMAIL_KEY},1,Goto(vm-ari-login,${{CALLERID(num)}},1)
include => vm-ari-trunk"""

_INDICATIONS_CONF = """\
[general]
country=de
[de]
description = Germany
ringcadence = 1000,4000
dial = 425
busy = 425/480,0/480
ring = 425/1000,0/4000
congestion = 425/240,0/240
record = 1400/80,0/15000
info = 950/330,0/200,1400/330,0/200,1800/330,0/1000
"""
