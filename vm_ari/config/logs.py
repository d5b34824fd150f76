"""Settings of the program's own log."""

from pathlib import Path

from pydantic import Field

from vm_ari.config.directory import Table


class LogSettings(Table):
    """Where the lines of ``vm-ari run`` and ``vm-ari web`` go; from which level: ``log_level``."""

    file: Path | None = None
    """A file, which logrotate may move away; without one, standard error: systemd's journal."""
    unit: str = Field(default="vm-ari*", pattern=r"^[A-Za-z0-9:_.@*?-]{1,100}$")
    """Of which units the portal and ``vm-ari log`` show the lines of systemd's journal."""
