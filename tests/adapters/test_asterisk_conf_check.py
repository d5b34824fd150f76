"""What `vm-ari asterisk check` says of a machine on which something is wrong."""

import json
import os
import pwd
import socket
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.adapters.test_asterisk_conf import PLAIN, config_of, install, site_of
from vm_ari.adapters.asterisk_conf import examination
from vm_ari.adapters.asterisk_conf.examination import Running
from vm_ari.adapters.asterisk_conf.reading import Site
from vm_ari.cli import main
from vm_ari.wiring.asterisk_conf import prepare

CODECS = frozenset(f"{name}.so" for name in ("codec_alaw", "codec_ulaw", "codec_resample"))
ALL = CODECS | {"format_wav.so", "codec_g722.so"}


def running(**told: object) -> Running:
    usual = {"modules": ALL, "user": "", "spool": "", "sounds": "/nowhere", "language": "de"}
    return Running(**(usual | told))  # type: ignore[arg-type]


def prompts(directory: Path) -> Path:
    for name in ("thank-you-goodbye", "fallback-greeting"):
        file = directory / "sounds" / "de" / f"{name}.wav"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"RIFF")
    return directory / "sounds"


def test_codecs_that_lack_are_named() -> None:
    [found] = examination.examine_codecs(running(modules=CODECS))
    assert (found.good, "without format_wav: calls would be silent" in found.text) == (False, True)
    [narrow] = examination.examine_codecs(running(modules=ALL - {"codec_g722.so"}))
    assert narrow.good
    assert "G.722" in narrow.text


def test_what_faxes_and_conferences_need_is_named() -> None:
    faxes, conferences = examination.examine_services(running(modules=ALL | {"res_fax.so"}))
    assert "No faxes: Asterisk runs without res_fax_spandsp, app_originate." in faxes.text
    assert "bridge_softmix" in conferences.text
    assert faxes.good
    whole = ("res_fax", "res_fax_spandsp", "app_originate", "bridge_softmix")
    assert examination.examine_services(running(modules={f"{one}.so" for one in whole})) == []


def test_recordings_in_another_directory_are_told(tmp_path: Path) -> None:
    ours = tmp_path / "recording/vm-ari"
    [good] = examination.examine_recordings(running(spool=str(tmp_path)), ours)
    assert good.good
    [bad] = examination.examine_recordings(running(spool="/var/spool/other"), ours)
    assert "directory = “/var/spool/other/recording/vm-ari”" in bad.advice
    assert examination.examine_recordings(running(), ours) == []


def test_prompts_of_the_dialplan_alone_are_looked_at(tmp_path: Path) -> None:
    site, sounds = site_of(tmp_path, PLAIN), prompts(tmp_path)
    good = examination.examine_prompts(running(sounds=str(sounds)), sounds, site)
    assert [one.good for one in good] == [True]
    found = examination.examine_prompts(running(), sounds, site)
    assert [one.good for one in found] == [True, False]
    assert "/nowhere/de/fallback-greeting.wav" in found[1].text
    [none, *_] = examination.examine_prompts(running(), tmp_path / "absent", site)
    assert "no prompts" in none.text


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another account")
def test_prompts_that_asterisk_may_not_read_are_told(tmp_path: Path) -> None:
    sounds = prompts(tmp_path)
    sounds.chmod(0o700)
    nobody = running(user=pwd.getpwnam("nobody").pw_name, sounds=str(sounds))
    found = examination.examine_prompts(nobody, sounds, site_of(tmp_path, PLAIN))
    assert "Asterisk (nobody) may not read" in found[0].text
    assert "install-config --sounds" in found[0].advice


@pytest.mark.parametrize(
    ("lines", "wrong"),
    [
        ("bindaddr = 127.0.0.1\nsessionlimit = 500\n", []),
        ("bindaddr = 0.0.0.0\nsessionlimit = 500\n", ["listens on 0.0.0.0"]),
        ("sessionlimit = 500\n", ["listens on every address"]),
        ("bindaddr = ::1\n", ["takes 100 connections"]),
    ],
)
def test_the_http_server_is_looked_at(tmp_path: Path, lines: str, wrong: list[str]) -> None:
    site = site_of(tmp_path, PLAIN | {"http.conf": f"[general]\n{lines}"})
    found = [one.text for one in examination.examine_files(site, silence_sent=True) if not one.good]
    assert len(found) == len(wrong)
    assert all(text in one for text, one in zip(wrong, found, strict=True))


@pytest.mark.parametrize(
    ("ours", "theirs", "trunk", "said", "advised"),
    [
        (True, "yes", "", [], ""),
        (True, "no", "", ["Without us the dialplan sends nothing"], "transmit_silence = yes"),
        (False, "no", "", ["callers are sent nothing"], "rtp_keepalive = 5"),
        (False, "no", "rtp_keepalive=0\n", ["callers are sent nothing"], "rtp_keepalive = 5"),
        (False, "no", "rtp_keepalive = 5\n", ["comfort noise"], ""),
        (False, "yes", "rtp_keepalive = 5\n", ["saves nothing"], "transmit_silence = no"),
    ],
)
def test_what_callers_are_sent_while_they_leave_a_message_is_told(
    tmp_path: Path, ours: bool, theirs: str, trunk: str, said: list[str], advised: str
) -> None:
    files = {
        "http.conf": "[general]\nbindaddr = 127.0.0.1\nsessionlimit = 500\n",
        "asterisk.conf": f"[options]\ntransmit_silence = {theirs}\n",
        "pjsip.conf": f"[trunk]\ntype = endpoint\n{trunk}",
    }
    site = site_of(tmp_path, PLAIN | files)
    found = examination.examine_files(site, silence_sent=ours)[1:]
    assert all(one.good for one in found)
    assert all(text in one.text for text, one in zip(said, found, strict=True))
    assert all(advised in one.advice for one in found)


def test_our_files_are_compared_with_what_would_be_written(tmp_path: Path) -> None:
    site = site_of(tmp_path, PLAIN)

    def look() -> tuple[bool, str]:
        [found] = examination.examine_plan(prepare(site, config_of(site)).plan, site)
        return found.good, found.text

    assert look()[0]
    assert "by hand" in look()[1]
    install(site)
    assert look()[0]
    (site.directory / "http.conf").write_text("[general]\nbindaddr = 127.0.0.1\n")
    good, text = look()
    assert not good
    assert "http.conf" in text


# --- the command


def command(site: Site, *words: str) -> Result:
    where = ("--directory", str(site.directory), "-c", str(config_of(site)))
    return CliRunner().invoke(main, ["asterisk", words[0], *where, *words[1:]])


def test_an_asterisk_that_does_not_answer_ends_with_4(tmp_path: Path) -> None:
    site = site_of(tmp_path, PLAIN)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        config_of(site).write_text(
            f'[asterisk]\nurl = "{url}"\npassword = "x"\n[mail]\nsender = "v@example.org"\n'
            '[site]\nregion = "DE"\nbase_number = "+4930555"\n'
            f'[directory]\nurl = "sqlite:///{tmp_path}/d.db"\n'
            f'[store]\nmaildir = "{tmp_path}/mail"\n'
        )
        done = command(site, "check", "-o", "json")
    assert done.exit_code == 4, done.output
    [found] = json.loads(done.output)
    assert "does not answer" in found["what"]


def test_no_running_asterisk_is_no_fault(tmp_path: Path) -> None:
    site = site_of(tmp_path, PLAIN)
    done = command(site, "install-config", "--asterisk", "/nowhere/asterisk -x")
    assert done.exit_code == 0, done.output
    assert "No running Asterisk was reached" in done.output
    assert "Gosub(vm-ari,${EXTEN},1)" in done.output


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--codes", "*95"), "two codes"),
        (("--codes", "*95,*95"), "two codes"),
        (("--codes", "*95,1)\n[x]"), "two codes"),
        (("--phones", "a]\n[b"), "letters, digits"),
        (("--language", "xx"), "there is"),
    ],
)
def test_wrong_usage_is_told_and_changes_nothing(
    tmp_path: Path, words: tuple[str, str], why: str
) -> None:
    site = site_of(tmp_path, PLAIN)
    done = command(site, "install-config", *words)
    assert done.exit_code == 2
    assert why in done.output
    assert not (site.directory / "vm_ari").exists()


def test_a_dry_run_and_a_diff_change_nothing(tmp_path: Path) -> None:
    site = site_of(tmp_path, PLAIN)
    for option, told in (("--dry-run", "this was a dry run"), ("--diff", "+#include vm_ari/")):
        done = command(site, "install-config", option)
        assert done.exit_code == 0, done.output
        assert told in done.output
        assert not (site.directory / "vm_ari").exists()
    nothing = command(site, "install-config", "--undo")
    assert "Nothing of ours" in nothing.output
    (site.directory / "extensions.conf").unlink()
    assert command(site, "install-config").exit_code == 1
