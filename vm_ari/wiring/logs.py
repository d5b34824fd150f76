"""The program's own log, as configured: where it is read, and how its level is changed."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from vm_ari.adapters.log_files import FileLogs
from vm_ari.adapters.log_journal import JournalLogs
from vm_ari.config import Config
from vm_ari.logs import LOOK_EVERY, FollowedLevel, wish_level, wished_level
from vm_ari.ports import Logs


def open_logs(config: Config) -> Logs:
    """The file where one is configured, else systemd's journal."""
    table = config.logs
    return FileLogs(table.file) if table.file else JournalLogs(table.unit)


def level_file(config: Config) -> Path:
    """Where “vm-ari log level” writes what programs of this machine follow."""
    return config.spool.directory / "log-level"


@dataclass(frozen=True)
class LogLevel:
    """`web.overview_parts.LevelControl`."""

    file: Path
    usual: str

    def present(self) -> tuple[str, datetime | None]:
        """See `LevelControl`."""
        return wished_level(self.file, self.usual, datetime.now(UTC))

    def wish(self, level: str, until: datetime) -> None:
        """See `LevelControl`."""
        wish_level(self.file, level, until)

    def forget(self) -> None:
        """See `LevelControl`."""
        self.file.unlink(missing_ok=True)


async def follow_level(config: Config) -> None:
    """Until cancelled."""
    followed = FollowedLevel(level_file(config), config.log_level)
    while True:
        await asyncio.to_thread(followed.look, datetime.now(UTC))
        await asyncio.sleep(LOOK_EVERY)
