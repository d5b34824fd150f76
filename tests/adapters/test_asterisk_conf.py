"""Asterisk's configuration directory: what is planned and written there, and how it is undone."""

import os
import pwd
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest

from vm_ari.adapters.asterisk_conf.reading import Flavour, NotConfigurable, Site, may_read
from vm_ari.adapters.asterisk_conf.wishes import Chosen, chosen_before
from vm_ari.adapters.asterisk_conf.writing import carry_out
from vm_ari.domain.feature_codes import Codes
from vm_ari.wiring.asterisk_conf import Prepared, prepare, prepare_removal

PLAIN = {
    "extensions.conf": "[general]\n[globals]\nX = 1\n[house]\nexten => 1,1,Hangup()\n",
    "ari.conf": "[general]\n",
    "http.conf": "[general]\nbindaddr = 127.0.0.1\n",
    "manager.conf": "[general]\nenabled = no\n",
}
WAZO = {
    "extensions.conf": "#include extensions.d/*\n",
    "extensions.d/01-wazo.conf": "[globals]\nW = 1\n#include extensions_extra.d/*\n[x]\n",
    "extensions_extra.d/a.conf": "[a]\nexten => *95,1,Hangup()\n",
    "ari.conf": "#include ari.d/*\n",
    "ari.d/01-wazo.conf": "[general]\nenabled=yes\n[wazo]\ntype=user\npassword=x\n",
    "http.conf": "#include http.d/*\n",
    "http.d/01-wazo.conf": "[general]\nenabled=yes\nbindaddr=127.0.0.1\nbindport=5039\n",
    "manager.conf": "#include manager.d/*\n",
    "manager.d/99-general.conf": "[general]\nenabled=yes\nport=5038\n",
}


def site_of(directory: Path, files: Mapping[str, str]) -> Site:
    for name, text in files.items():
        path = directory / "asterisk" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (directory / "vm-ari").mkdir(exist_ok=True)
    return Site(directory / "asterisk")


def config_of(site: Site) -> Path:
    return site.directory.parent / "vm-ari" / "vm-ari.toml"


def install(site: Site, said: Chosen | None = None) -> Prepared:
    done = prepare(site, config_of(site), said or Chosen())
    carry_out(site, done.plan)
    return done


def everything(site: Site) -> dict[str, bytes]:
    files = sorted(path for path in site.directory.rglob("*") if path.is_file())
    return {str(path.relative_to(site.directory)): path.read_bytes() for path in files}


@pytest.fixture
def plain(tmp_path: Path) -> Site:
    return site_of(tmp_path, PLAIN)


# --- flavours


def test_wazo_gets_files_of_its_own_directories_and_free_codes(tmp_path: Path) -> None:
    site = site_of(tmp_path, WAZO)
    before = everything(site)
    assert site.flavour() is Flavour.WAZO
    done = install(site)
    after = everything(site)
    assert {name: after[name] for name in before} == before
    new = {name for name in after if name not in before}
    assert {name for name in new if not name.startswith("vm_ari/")} == {
        *("extensions_extra.d/vm-ari.conf", "ari.d/vm-ari.conf"),
        *("http.d/vm-ari.conf", "manager.d/vm-ari.conf"),
    }
    assert done.wishes.codes == Codes("*96", "*94")
    own = after["vm_ari/extensions.conf"].decode()
    assert "[globals](+)" in own  # they come before us there
    assert "[xivo-extrafeatures]" in own
    drop_in = tomllib.loads((config_of(site).parent / "conf.d/asterisk.toml").read_text())
    assert drop_in["asterisk"]["url"] == "http://127.0.0.1:5039"
    carry_out(site, prepare_removal(site, config_of(site)))
    assert everything(site) == before


def test_a_directory_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotConfigurable, match=r"no extensions\.conf in .*--directory"):
        prepare(Site(tmp_path), tmp_path / "vm-ari.toml")


def test_a_file_that_asterisk_would_never_read_is_refused(tmp_path: Path) -> None:
    site = site_of(tmp_path, PLAIN)
    with pytest.raises(NotConfigurable, match=r"does not include extensions_custom\.conf"):
        prepare(site, config_of(site), Chosen(flavour="freepbx"))


# --- what is written


def test_the_section_of_globals_is_opened_again_or_made(tmp_path: Path) -> None:
    there = site_of(tmp_path / "there", PLAIN)
    absent = site_of(tmp_path / "absent", PLAIN | {"extensions.conf": "[house]\n"})
    for site, head in ((there, "[globals](+)"), (absent, "[globals]\n")):
        install(site)
        assert head in (site.directory / "vm_ari/extensions.conf").read_text()


def test_what_the_site_has_set_itself_stays(tmp_path: Path) -> None:
    text = "[globals]\nVM_ARI_SOUNDS = /mine\n[house]\n"
    site = site_of(tmp_path, PLAIN | {"extensions.conf": text})
    install(site, Chosen(phones="house"))
    own = (site.directory / "vm_ari/extensions.conf").read_text()
    assert "VM_ARI_SOUNDS =" not in own
    assert "VM_ARI_LANGUAGE = en" in own
    assert "exten => *95,1,Set(VM_ARI_PHONE=" in own


def test_mailboxes_of_asterisks_own_voicemail_keep_it_loaded(tmp_path: Path) -> None:
    files = PLAIN | {"modules.conf": "[modules]\nautoload = yes\n"}
    used = site_of(tmp_path / "used", files | {"voicemail.conf": "[default]\n7 => 1,Eva,e@x\n"})
    done = install(used)
    assert (used.directory / "modules.conf").read_text() == files["modules.conf"]
    assert any("voicemail.conf has mailboxes" in note for note in done.plan.notes)
    unused = site_of(tmp_path / "unused", files)
    install(unused)
    assert "modules_vm_ari.conf" in (unused.directory / "modules.conf").read_text()


def test_the_manager_is_switched_on_only_when_that_is_asked_for(plain: Site) -> None:
    install(plain)
    assert (plain.directory / "manager.conf").read_text() == PLAIN["manager.conf"]
    install(plain, Chosen(manager=True))
    text = (plain.directory / "manager.conf").read_text()
    assert "[general](+)\nenabled = yes\nbindaddr = 127.0.0.1\n" in text
    install(plain)  # it was asked for
    assert (plain.directory / "manager.conf").read_text() == text
    install(plain, Chosen(manager=False))
    assert (plain.directory / "manager.conf").read_text() == PLAIN["manager.conf"]
    assert not (plain.directory / "vm_ari/manager.conf").exists()


def test_the_next_run_knows_what_was_said(plain: Site) -> None:
    said = Chosen(codes=Codes("*1", "*2"), phones="house", out="house", language="de")
    install(plain, said)
    first = everything(plain)
    again = install(plain)
    assert everything(plain) == first
    assert not any(change.does_something for change in again.plan.changes)
    install(plain, Chosen(no_codes=True))
    assert "exten =>" not in (plain.directory / "vm_ari/extensions.conf").read_text()
    assert chosen_before("; chosen: [1\n") == chosen_before("") == Chosen()


def test_passwords_are_the_controllers_own_where_it_has_some(plain: Site) -> None:
    secret = plain.directory.parent / "secret"
    secret.write_text("from-a-file\n")
    config_of(plain).write_text(
        '[asterisk]\nuser = "us"\npassword = "a;b"\n'
        f'[manager]\nuser = "me"\nsecret_file = "{secret}"\n'
    )
    install(plain)
    assert "[us]" in (plain.directory / "vm_ari/ari.conf").read_text()
    assert "password = a\\;b\n" in (plain.directory / "vm_ari/ari.conf").read_text()
    assert "secret = from-a-file\n" in (plain.directory / "vm_ari/manager.conf").read_text()
    assert not (config_of(plain).parent / "conf.d").exists()


def test_a_password_that_was_made_stays_and_is_not_shown(plain: Site) -> None:
    install(plain)
    made = tomllib.loads((config_of(plain).parent / "conf.d/asterisk.toml").read_text())
    password = made["asterisk"]["password"]
    assert len(password) >= 32
    for name in ("conf.d/asterisk.toml", "../asterisk/vm_ari/ari.conf"):
        path = config_of(plain).parent / name
        assert password in path.read_text()
        assert path.stat().st_mode & 0o777 == 0o640
    again = install(plain)
    assert again.wishes.ari.password == password
    shown = [change.diff() for change in prepare_removal(plain, config_of(plain)).changes]
    assert password not in "".join(shown)
    assert password not in repr(again)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another account")
def test_who_reads_the_configuration_reads_the_password(plain: Site) -> None:
    nobody = pwd.getpwnam("nobody")
    config_of(plain).write_text("")
    os.chown(config_of(plain), nobody.pw_uid, nobody.pw_gid)
    os.chown(plain.directory, nobody.pw_uid, -1)  # as FreePBX has it
    config_of(plain).parent.chmod(0o750)
    done = prepare(plain, config_of(plain))
    carry_out(plain, done.plan)
    drop_in = config_of(plain).parent / "conf.d/asterisk.toml"
    about = drop_in.stat()
    assert (about.st_uid, about.st_gid) == (nobody.pw_uid, nobody.pw_gid)
    assert (drop_in.parent.stat().st_uid, drop_in.parent.stat().st_mode & 0o777) == (0, 0o750)
    assert (plain.directory / "vm_ari").stat().st_uid == nobody.pw_uid


def test_without_a_place_for_it_the_password_is_told(plain: Site, tmp_path: Path) -> None:
    done = prepare(plain, tmp_path / "nowhere" / "vm-ari.toml")
    assert done.wishes.ari.password in done.printed


def test_a_broken_configuration_of_the_controller_stops_it(plain: Site) -> None:
    config_of(plain).write_text("[asterisk\n")
    with pytest.raises(NotConfigurable, match=r"vm-ari\.toml"):
        prepare(plain, config_of(plain))


# --- safety


def test_links_stay_links_and_modes_and_owners_stay(plain: Site, tmp_path: Path) -> None:
    real = tmp_path / "elsewhere.conf"
    (plain.directory / "ari.conf").rename(real)
    (plain.directory / "ari.conf").symlink_to(real)
    real.chmod(0o604)
    install(plain)
    assert (plain.directory / "ari.conf").is_symlink()
    assert "vm_ari/ari.conf" in real.read_text()
    assert real.stat().st_mode & 0o777 == 0o604
    carry_out(plain, prepare_removal(plain, config_of(plain)))
    assert (plain.directory / "ari.conf").is_symlink()
    assert real.read_text() == PLAIN["ari.conf"]


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another account")
@pytest.mark.parametrize("name", ["ari.conf", "vm_ari"])
def test_links_of_another_account_do_not_lead_root_elsewhere(
    plain: Site, tmp_path: Path, name: str
) -> None:
    target = tmp_path / "of-root"
    if name == "vm_ari":
        target.mkdir()
    else:
        target.write_text("[general]\n")
    link = plain.directory / name
    link.unlink(missing_ok=True)
    link.symlink_to(target)
    os.chown(link, pwd.getpwnam("nobody").pw_uid, -1, follow_symlinks=False)
    with pytest.raises(NotConfigurable, match="a link of one account to a file of another"):
        install(plain)
    assert list(target.iterdir()) == [] if target.is_dir() else target.read_text() == "[general]\n"


def test_what_others_change_meanwhile_is_kept(plain: Site) -> None:
    install(plain)
    path = plain.directory / "extensions.conf"
    path.write_text(path.read_text().replace("X = 1", "X = 2") + "[later]\n")
    plan = prepare_removal(plain, config_of(plain))
    carry_out(plain, plan)
    assert path.read_text() == PLAIN["extensions.conf"].replace("X = 1", "X = 2") + "[later]\n"
    kept = plain.directory / "vm_ari/backup/extensions.conf"
    assert kept.read_text() == PLAIN["extensions.conf"]
    assert str(kept) in plan.notes[0]


def test_a_change_between_look_and_write_is_not_overwritten(plain: Site) -> None:
    done = prepare(plain, config_of(plain))
    (plain.directory / "ari.conf").write_text("[general]\nnew = yes\n")
    with pytest.raises(NotConfigurable, match="changed at this moment"):
        carry_out(plain, done.plan)
    assert (plain.directory / "ari.conf").read_text() == "[general]\nnew = yes\n"


def test_a_damaged_block_is_left_to_a_person(plain: Site) -> None:
    install(plain)
    path = plain.directory / "ari.conf"
    path.write_text(path.read_text().replace("; <<< vm_ari", ""))
    with pytest.raises(NotConfigurable, match="damaged block"):
        prepare(plain, config_of(plain))
    with pytest.raises(NotConfigurable, match="damaged block"):
        prepare_removal(plain, config_of(plain))


def test_files_of_others_in_our_directory_stay(plain: Site) -> None:
    install(plain)
    mine = plain.directory / "vm_ari/mine.conf"
    mine.write_text("[mine]\n")
    carry_out(plain, prepare_removal(plain, config_of(plain)))
    assert everything(plain) == {
        **{name: text.encode() for name, text in PLAIN.items()},
        "vm_ari/mine.conf": b"[mine]\n",
    }


class Killed(BaseException):
    """As if by SIGKILL: nothing is tidied up."""


@pytest.mark.parametrize("undo", [False, True])
def test_killed_anywhere_it_can_be_done_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, undo: bool
) -> None:
    """Every write, rename and removal is once the last thing that happened."""
    steps, real = 0, os.fsync

    def dies(descriptor: int) -> None:
        nonlocal steps
        real(descriptor)
        steps -= 1
        if steps < 0:
            raise Killed

    for last in range(40):
        site = site_of(tmp_path / f"{undo}{last}", PLAIN)
        if undo:
            install(site)
        steps = last
        monkeypatch.setattr(os, "fsync", dies)
        try:
            _removed_now(site) if undo else install(site)
            died = False
        except Killed:
            died = True
        monkeypatch.setattr(os, "fsync", real)
        assert all(text.encode() in everything(site)[name] for name, text in PLAIN.items())
        if not undo:
            install(site)
        _removed_now(site)
        assert everything(site) == {name: text.encode() for name, text in PLAIN.items()}
        if not died:
            break
    assert last > 5
    assert not died


def _removed_now(site: Site) -> None:
    carry_out(site, prepare_removal(site, config_of(site)))


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another account")
def test_who_may_read_is_told_by_the_permission_bits(tmp_path: Path) -> None:
    nobody, root = pwd.getpwnam("nobody"), pwd.getpwuid(0)
    place = tmp_path / "place"
    place.mkdir()
    for parent in (place, *place.parents):
        if parent.is_relative_to("/tmp") and parent != Path("/tmp"):
            parent.chmod(0o755)
    file = place / "x.wav"
    file.write_text("")
    file.chmod(0o644)
    assert may_read(file, nobody)
    file.chmod(0o640)
    assert not may_read(file, nobody)
    os.chown(file, 0, nobody.pw_gid)
    assert may_read(file, nobody)
    place.chmod(0o700)
    assert not may_read(file, nobody)
    assert may_read(file, root)
    assert not may_read(place / "absent", root)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another account")
def test_our_files_are_copied_where_asterisk_may_not_read_them(tmp_path: Path) -> None:
    tmp_path.chmod(0o711)
    text = "[options]\nrunuser = nobody\n"
    site = site_of(tmp_path, PLAIN | {"asterisk.conf": text})
    done = prepare(site, config_of(site))
    readable = may_read(done.wishes.shipped, pwd.getpwnam("nobody"))
    names = {change.path.name for change in done.plan.changes}
    assert ("extensions_vm_ari.conf" in names) is not readable
