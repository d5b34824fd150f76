"""A rotation of keys while other processes go on sealing."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.slapd import ROOT
from vm_ari.adapters.sealing import KeyRing

SEALER = """
import sys
from pathlib import Path
from vm_ari.adapters.sealing import KeyRing
ring = KeyRing(Path(sys.argv[1]))
for line in sys.stdin:
    print(ring.seal(line.strip(), owner="anna", attribute="pin"), flush=True)
"""


class Sealer:
    """Another process that has read the keys, and seals what it is given."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def seals(self, text: str) -> str:
        """The sealed value."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(text + "\n")
        self._process.stdin.flush()
        return self._process.stdout.readline().strip()


@contextmanager
def sealer(keys: Path) -> Iterator[Sealer]:
    command = [sys.executable, "-c", SEALER, str(keys)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield Sealer(process)


def key_of(sealed: str) -> str:
    return sealed.split(".")[1]


@pytest.mark.feature("LOGIN-08")
def test_a_running_process_seals_with_the_key_that_another_one_adds(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    ring = KeyRing(keys)
    with sealer(keys) as other:
        first = other.seals("246813")
        for _ in range(5):  # at once, one after the other: time stamps may be the same
            newest = ring.rotate()
            assert key_of(other.seals("246813")) == newest != key_of(first)
        last = other.seals("135792")
    assert ring.open(first, owner="anna", attribute="pin") == "246813"
    assert ring.open(last, owner="anna", attribute="pin") == "135792"


def test_a_value_sealed_with_a_key_unknown_so_far_opens(tmp_path: Path) -> None:
    early, ring = KeyRing(tmp_path / "keys"), KeyRing(tmp_path / "keys")
    ring.rotate()
    sealed = ring.seal("246813", owner="anna", attribute="pin")
    assert early.open(sealed, owner="anna", attribute="pin") == "246813"
    assert early.is_current(sealed)


@pytest.mark.parametrize("how", ["gone", "empty", "open to others"])
def test_a_running_process_goes_on_with_its_keys_when_they_cannot_be_read_again(
    tmp_path: Path, how: str
) -> None:
    keys = tmp_path / "keys"
    ring = KeyRing(keys)
    sealed = ring.seal("246813", owner="anna", attribute="pin")
    match how:
        case "gone":
            shutil.rmtree(keys)
        case "empty":
            (keys / "0001.key").unlink()
        case _:
            (keys / "0002.key").write_bytes(b"x" * 32)
            (keys / "0002.key").chmod(0o644)
    again = ring.seal("135792", owner="anna", attribute="pin")
    assert key_of(again) == key_of(sealed)
    assert ring.open(again, owner="anna", attribute="pin") == "135792"
    assert ring.open(sealed, owner="anna", attribute="pin") == "246813"
