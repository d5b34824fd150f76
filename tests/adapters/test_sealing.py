"""Sealed values: who can open them, and what happens to the keys."""

import stat
from multiprocessing.pool import ThreadPool
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vm_ari.adapters.sealing import KeyRing, KeysUnusable, SealBroken

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@pytest.fixture
def keys(tmp_path: Path) -> KeyRing:
    return KeyRing(tmp_path / "keys")


def seal(keys: KeyRing, text: str = "246813") -> str:
    return keys.seal(text, owner="anna", attribute="pin")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=TEXTS, owner=TEXTS, attribute=TEXTS)
def test_what_was_sealed_opens_for_its_owner(
    keys: KeyRing, text: str, owner: str, attribute: str
) -> None:
    sealed = keys.seal(text, owner=owner, attribute=attribute)
    assert keys.open(sealed, owner=owner, attribute=attribute) == text
    with pytest.raises(SealBroken):
        keys.open(sealed, owner=owner + "x", attribute=attribute)
    with pytest.raises(SealBroken):
        keys.open(sealed, owner=owner, attribute="x" + attribute)


def test_the_same_pin_never_looks_the_same(keys: KeyRing) -> None:
    assert len({seal(keys) for _ in range(100)}) == 100


def test_the_form_is_version_key_and_base64url(keys: KeyRing) -> None:
    version, key_id, coded = seal(keys).split(".")
    assert version == "v1"
    assert len(key_id) == 8
    assert set(coded) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def test_every_altered_character_is_noticed(keys: KeyRing) -> None:
    sealed = seal(keys)
    for at in range(len(sealed) - 1):
        altered = sealed[:at] + ("A" if sealed[at] != "A" else "B") + sealed[at + 1 :]
        with pytest.raises(SealBroken):
            keys.open(altered, owner="anna", attribute="pin")


@pytest.mark.parametrize("rubbish", ["", "246813", "v1", "v1..", "v1.x.y.z", "v1.ü.!", "v2.a.bbbb"])
def test_rubbish_does_not_open(keys: KeyRing, rubbish: str) -> None:
    with pytest.raises(SealBroken):
        keys.open(rubbish, owner="anna", attribute="pin")


def test_keys_are_private_files(keys: KeyRing, tmp_path: Path) -> None:
    seal(keys)
    [file] = (tmp_path / "keys").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_a_restart_uses_the_same_key(keys: KeyRing, tmp_path: Path) -> None:
    again = KeyRing(tmp_path / "keys")
    assert again.open(seal(keys), owner="anna", attribute="pin") == "246813"


def test_after_a_rotation_the_new_key_seals_and_both_open(keys: KeyRing, tmp_path: Path) -> None:
    other_process = KeyRing(tmp_path / "keys")
    old = seal(keys)
    assert keys.is_current(old)
    key_id = keys.rotate()
    assert not keys.is_current(old)
    new = seal(keys)
    assert new.split(".")[1] == key_id != old.split(".")[1]
    for ring in (keys, other_process, KeyRing(tmp_path / "keys")):
        assert [ring.open(s, owner="anna", attribute="pin") for s in (old, new)] == ["246813"] * 2


def test_a_lost_key_is_named(keys: KeyRing, tmp_path: Path) -> None:
    sealed = seal(keys)
    (tmp_path / "keys" / "0001.key").unlink()
    with pytest.raises(SealBroken, match=sealed.split(".")[1]):
        KeyRing(tmp_path / "keys").open(sealed, owner="anna", attribute="pin")


def test_the_first_key_is_made_once_however_many_start(tmp_path: Path) -> None:
    with ThreadPool(8) as pool:
        rings = pool.map(KeyRing, [tmp_path / "keys"] * 32)
    assert len({seal(ring).split(".")[1] for ring in rings}) == 1
    assert len(list((tmp_path / "keys").iterdir())) == 1


def test_a_key_that_others_can_read_is_refused(keys: KeyRing, tmp_path: Path) -> None:
    seal(keys)
    (tmp_path / "keys" / "0001.key").chmod(0o640)
    with pytest.raises(KeysUnusable, match="chmod 600"):
        KeyRing(tmp_path / "keys")


@pytest.mark.parametrize("content", [b"", b"short", bytes(33)])
def test_a_key_of_the_wrong_length_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "0001.key"
    file.write_bytes(content)
    file.chmod(0o600)
    with pytest.raises(KeysUnusable, match="32 bytes"):
        KeyRing(tmp_path)


def test_a_directory_that_cannot_be_one_is_refused(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("a file")
    with pytest.raises(KeysUnusable):
        KeyRing(tmp_path / "keys")


def test_signing_keys_follow_the_rotation_and_differ_by_purpose(keys: KeyRing) -> None:
    [first] = keys.signing_keys("mail")
    keys.rotate()
    newest, old = keys.signing_keys("mail")
    assert old == first
    assert len({newest, old, *keys.signing_keys("other")}) == 4
