"""Which number a telephone shows with its lamp, and calls to hear the messages (NOTIFY-05)."""

import re


class MessageAccounts:
    """By mailbox; Message-Account of RFC 3842, for the way that writes its NOTIFY by itself."""

    def __init__(self, host: str = "") -> None:
        """*host* is the SIP server as telephones know it; empty: they are told no account."""
        self._host = host
        self._numbers: dict[str, str] = {}

    def note(self, mailbox: str, number: str) -> None:
        """From now on that number belongs to the lamp."""
        if self._host:
            self._numbers[mailbox] = re.sub(r"[^+0-9*]", "", number)

    def of(self, mailbox: str) -> str:
        """A SIP URI; empty where there is none."""
        number = self._numbers.get(mailbox, "")
        return f"sip:{number}@{self._host}" if number else ""
