"""A controller that dies at any step of a welcome mail: the mail arrives, once, with the right PIN.

It is killed before each step that changes files, started again, and called again.
"""

import asyncio
import email
import email.policy
import shutil
import subprocess
import sys
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.faults.welcome_process import ANNA
from tests.patience import AT_MOST
from vm_ari.adapters.database import EmbeddedDirectory
from vm_ari.adapters.sealing import KeyRing
from vm_ari.domain.pin import PinCheck

ROOT = Path(__file__).parents[2]


class Controller:
    """Lives of a controller."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.welcome_process"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def live(self, base: Path, killed_before: int = 0) -> str:
        """How many steps it took, or ``killed``."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin
        assert stdout
        stdin.write(f"{base} {killed_before}\n")
        stdin.flush()
        return stdout.readline().strip()

    def close(self) -> None:
        """No more of them."""
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(AT_MOST)
        assert self._process.stdout
        self._process.stdout.close()


@pytest.fixture
def controller() -> Iterator[Controller]:
    one = Controller()
    yield one
    one.close()


async def _anna(base: Path) -> None:
    directory = EmbeddedDirectory(f"sqlite:///{base / 'users.db'}", KeyRing(base / "keys"))
    await directory.add_user(ANNA)
    await directory.close()


async def _judge(base: Path, pin: str) -> PinCheck:
    directory = EmbeddedDirectory(f"sqlite:///{base / 'users.db'}", KeyRing(base / "keys"))
    try:
        return await directory.check_pin("anna", pin)
    finally:
        await directory.close()


def _mails(base: Path) -> list[EmailMessage]:
    new = base / "mail" / "101" / "new"
    files = new.iterdir() if new.is_dir() else ()
    mails = [email.message_from_bytes(f.read_bytes(), policy=email.policy.default) for f in files]
    return [mail for mail in mails if isinstance(mail, EmailMessage)]


def _pin(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body
    [line] = [one for one in body.get_content().splitlines() if one.startswith("PIN: ")]
    return str(line).removeprefix("PIN: ")


@pytest.mark.feature_part("WELCOME-01", "no crash loses the mail or sends another one")
def test_the_mail_arrives_once_wherever_the_controller_dies(
    controller: Controller, tmp_path: Path
) -> None:
    (tmp_path / "before").mkdir()
    asyncio.run(_anna(tmp_path / "before"))
    whole = tmp_path / "whole"
    shutil.copytree(tmp_path / "before", whole)
    steps = int(controller.live(whole))
    assert len(_mails(whole)) == 1
    assert steps > 15
    for deadly in range(1, steps + 1):
        base = tmp_path / f"at-{deadly}"
        shutil.copytree(tmp_path / "before", base)
        assert controller.live(base, deadly) == "killed"
        for _ in range(2):
            assert controller.live(base).isdecimal()
        mails = _mails(base)
        assert len(mails) == 1, f"killed before step {deadly} of {steps}: {len(mails)} mails"
        assert asyncio.run(_judge(base, _pin(mails[0]))) is PinCheck.RIGHT, deadly
        left = [f for state in ("prepared", "new", "hold", "corrupt") for f in _left(base, state)]
        assert left == [], f"killed before step {deadly} of {steps}"
        shutil.rmtree(base)


def _left(base: Path, state: str) -> list[str]:
    return [f"{state}/{f.name}" for f in (base / "queue" / state).iterdir() if f.suffix != ".tmp"]
