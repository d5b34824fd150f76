"""A user: the owner of a mailbox."""

from dataclasses import dataclass


@dataclass(frozen=True)
class User:
    """What the directory says about one person; settings are effective ones (user over site)."""

    id: str
    """The directory's own, stable name of the entry."""
    name: str
    mailbox: str
    """The extension or number under which lamp and login know the mailbox, such as ``101``."""
    numbers: tuple[str, ...]
    """E.164 (or a site's bare extensions)."""
    mail: str
    language: str = "en"
    time_zone: str = "Europe/Berlin"
    voice_mail_enabled: bool = True
    takes_messages: bool = True
    may_log_in: bool = True
