"""Settings of the journal: what is remembered of calls and messages, and how long."""

from pathlib import Path

from pydantic import Field

from vm_ari.config.directory import Table


class JournalSettings(Table):
    """What the system remembers of each call and message (STORE-05)."""

    enabled: bool = True
    """Without it nothing new is noted; what is there can be read, and grows old."""
    url: str = ""
    """Database: ``sqlite:////path/to/file`` or ``postgresql+psycopg://host/database``; empty: that
    of the embedded directory."""
    node: str = Field(default="", pattern=r"^[A-Za-z0-9._-]{0,60}$")
    """Name of this controller, where several share the database; empty: the machine's name."""
    days: int = Field(default=180, ge=0, le=36_500)
    """After so many days an entry is removed; 0: never."""
    archive: Path | None = None
    """Directory into which entries are written before they are removed (JSON Lines, gzip)."""
    shorten_numbers_after_days: int = Field(default=0, ge=0, le=36_500)
    """Then only three digits of the other side's number are left, and no name; 0: never."""
