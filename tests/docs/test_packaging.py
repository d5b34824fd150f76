"""What is shipped around the program is right: units, manual pages, completion, containers."""

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time
from configparser import RawConfigParser
from pathlib import Path

import pytest
import yaml

from vm_ari.cli.man_pages import pages
from vm_ari.config import Config

ROOT = Path(__file__).parents[2]
PACKAGING = ROOT / "packaging"
UNITS = PACKAGING / "systemd"
NAMES = ("vm-ari.service", "vm-ari-web.service")
MOST_EXPOSED = "20"
"""As systemd counts: 2.0 of 10; a web server of Debian has 9."""
AT_MOST = 60.0


def sandbox(unit: str) -> str:
    """Everything from the account on."""
    text = (UNITS / unit).read_text(encoding="utf-8")
    return text[text.index("User=") : text.index("[Install]")]


@pytest.mark.feature_part("OPS-03", "the units are confined")
@pytest.mark.parametrize("unit", NAMES)
def test_the_units_are_as_confined_as_they_say(unit: str) -> None:
    judge = ["systemd-analyze", "security", "--offline=true", f"--threshold={MOST_EXPOSED}"]
    told = subprocess.run(
        [*judge, str(UNITS / unit)], capture_output=True, text=True, timeout=AT_MOST, check=False
    )
    assert told.returncode == 0, told.stdout[-300:] + told.stderr
    assert sandbox(unit) == sandbox(NAMES[0])


def test_the_controller_tells_systemd_how_it_is_and_reads_what_systemd_gives_it() -> None:
    unit = RawConfigParser(strict=False)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(UNITS / "vm-ari.service", encoding="utf-8")
    service = unit["Service"]
    assert (service["Type"], service["NotifyAccess"]) == ("notify", "main")
    assert int(service["WatchdogSec"]) >= 10
    assert service["ExecStart"].split()[:2] == ["vm-ari", "run"]
    loaded = re.findall(r"^#?LoadCredential\w*=([^:]+):", _text(UNITS / "credentials.conf"), re.M)
    assert loaded
    for credential in loaded:
        assert credential.split(".")[0] in Config.model_fields


@pytest.mark.skipif(os.geteuid() != 0, reason="accounts and owners need root")
def test_accounts_and_directories_are_made_so_that_asterisk_reads_only_what_it_plays(
    tmp_path: Path,
) -> None:
    (tmp_path / "etc").mkdir()
    for table in ("passwd", "group"):
        shutil.copy(f"/etc/{table}", tmp_path / "etc")
    where = f"--root={tmp_path}"
    accounts = ["systemd-sysusers", where, str(UNITS / "sysusers.conf")]
    directories = ["systemd-tmpfiles", where, "--create", str(UNITS / "tmpfiles.conf")]
    for command in (accounts, directories, directories):
        subprocess.run(command, check=True, capture_output=True, timeout=AT_MOST)
    lines = [line.split(":") for line in _text(tmp_path / "etc/group").splitlines()]
    groups = {name: (number, members) for name, _, number, members in lines}
    assert "vm-ari" in groups["asterisk"][1].split(",")
    asterisk = int(groups["asterisk"][0])
    plays = ("var/lib/vm-ari/greetings", "var/cache/vm-ari/speech")
    for name in (*plays, "var/spool/asterisk/recording/vm-ari"):
        assert (tmp_path / name).stat().st_gid == asterisk, name
        assert (tmp_path / name).stat().st_mode & 0o2050 == 0o2050, name
    for name in ("var/lib/vm-ari", "etc/vm-ari"):
        assert (tmp_path / name).stat().st_gid != asterisk, name
        assert not (tmp_path / name).stat().st_mode & 0o006, name


def test_the_manual_pages_are_fresh() -> None:
    written = {one.name: _text(one) for one in (PACKAGING / "man").iterdir()}
    stale = [name for name, text in pages().items() if written.get(name) != text]
    assert not stale, "run: python -m vm_ari.cli.man_pages packaging/man"
    assert written.keys() == pages().keys()


def test_what_a_command_says_of_itself_is_no_order_for_roff() -> None:
    for name, text in pages().items():
        for line in text.splitlines():
            known = r"\.(TH|SH|SS|TP|PP|nf|fi)\b|\\?[^.']|$"
            assert re.match(known, line), f"{name}: {line}"
            assert not re.search(r"\\(?![&e\-]|f[BIR])", line), f"{name}: {line}"


SHELLS: dict[str, tuple[str, ...]] = {
    "bash": ("bash", "--norc", "-i"),
    "zsh": ("zsh", "-f", "-i"),
    "fish": ("fish", "--no-config", "-i"),
}
READY: dict[str, str] = {
    "bash": 'eval "$(vm-ari completion bash)"',
    "zsh": 'autoload -Uz compinit; compinit -u -D; eval "$(vm-ari completion zsh)"',
    "fish": "vm-ari completion fish | source",
}


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.feature_part("OPS-03", "shell completion in real shells")
def test_tab_completes_a_command_in_a_real_shell(shell: str, tmp_path: Path) -> None:
    """It is typed in part; what the shell runs then is the whole command."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update(
            HOME=str(tmp_path),
            PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            TERM="dumb",
            PS1="> ",
        )
        os.execvp(SHELLS[shell][0], SHELLS[shell])
    try:
        _type(terminal, f"{READY[shell]}; echo rea''dy\n", until="ready")
        _type(terminal, "vm-ari schem\t", until="schema")
        heard = _type(terminal, "--help\n", until="Exit|Usage: vm-ari schema")
        assert "Usage: vm-ari schema" in heard
    finally:
        os.close(terminal)
        os.kill(pid, 9)
        os.waitpid(pid, 0)


def _type(terminal: int, text: str, *, until: str) -> str:
    """What the shell shows, up to something that it must show."""
    os.write(terminal, text.encode())
    heard, end = "", time.monotonic() + AT_MOST
    while not re.search(until, heard):
        ready, _, _ = select.select([terminal], [], [], max(0.0, end - time.monotonic()))
        assert ready, f"{until} is not shown, but {heard!r}"
        heard += os.read(terminal, 4096).decode("utf-8", "replace")
    return heard


def test_the_containers_mount_what_there_is_and_set_what_can_be_set() -> None:
    compose = yaml.safe_load(_text(PACKAGING / "container" / "compose.yaml"))
    named = set(compose["volumes"])
    for service in compose["services"].values():
        for mount in service.get("volumes", ()):
            source = mount.split(":")[0]
            if source.startswith("../"):
                assert (PACKAGING / "container" / source).exists(), source
            elif not source.startswith("./"):
                assert source in named, source
        for key in service.get("environment", {}):
            table, field, *_ = (
                key.removeprefix("VM_ARI__").lower().removesuffix("_file").split("__")
            )
            assert field in Config.model_fields[table].annotation.model_fields, key  # type: ignore[union-attr]
    recipe = _text(PACKAGING / "container" / "Containerfile")
    assert re.findall(r"^(\w+) ", recipe.replace("\\\n", ""), re.M)[0] == "FROM"
    assert "USER vm-ari\n" in recipe


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")
