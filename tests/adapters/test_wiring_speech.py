"""The configured engine stands between spool and mailbox, or nothing does."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.patience import AT_MOST
from tests.services.post import ScriptedCourier, ScriptedDirectory
from vm_ari.adapters.transcription_engines import Command
from vm_ari.config import Config
from vm_ari.ports import Notices
from vm_ari.services.transcripts import Transcripts
from vm_ari.wiring.speech import Outlet, open_outlet, open_transcription


class NoNotices:
    """Nobody is told anything."""

    async def tell(self, *_: object, **__: object) -> None:
        raise AssertionError("there is nothing to tell")


NOTICES: Notices = NoNotices()
COURIER = ScriptedCourier()


def configured(home: Path, **table: object) -> Config:
    tables: dict[str, Any] = {
        "asterisk": {"password": "x"},
        "spool": {"directory": home / "spool"},
        "transcription": table,
    }
    return Config(**tables)


def outlet(config: Config) -> Outlet:
    return open_outlet(config, COURIER, ScriptedDirectory(), NOTICES)


def test_it_is_off_until_an_engine_is_named(tmp_path: Path) -> None:
    config = configured(tmp_path)
    assert open_transcription(config, tmp_path) is None
    found = outlet(config)
    assert found.courier is COURIER
    asyncio.run(found.run())  # ends at once
    found.close()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "table",
    [
        {"engine": "command", "command": "nosuchthing {file}"},
        {"engine": "whisper.cpp", "model": "/gone.bin", "program": "cat"},
        {"engine": "faster-whisper", "model": "/gone"},
    ],
)
def test_an_engine_that_is_missing_stops_no_message(
    tmp_path: Path, table: dict[str, object]
) -> None:
    with capture_logs() as logs:
        found = outlet(configured(tmp_path, **table))
    found.close()
    assert found.courier is COURIER
    assert [line["log_level"] for line in logs] == ["error"]


def test_what_a_crash_has_left_of_recordings_goes_at_the_start(tmp_path: Path) -> None:
    left = tmp_path / "spool" / "transcripts-work" / "hearing-x" / "message.wav"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"secret")
    config = configured(tmp_path, engine="command", command="cat {file}", at_once=3)
    found = outlet(config)
    assert isinstance(found.courier, Transcripts)

    async def a_moment() -> None:
        running = asyncio.create_task(found.run())
        async with asyncio.timeout(AT_MOST):
            while left.exists():
                await asyncio.sleep(0.01)
        running.cancel()
        await asyncio.wait([running])

    asyncio.run(a_moment())
    found.close()


def test_a_command_is_what_the_admin_wrote() -> None:
    assert Command("cat '{file}' --lang={language}").words() == [
        "cat",
        "{file}",
        "--lang={language}",
    ]
