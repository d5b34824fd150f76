"""By what a mail is known again in another store."""

import re

from vm_ari.adapters.mail_reading import parse_headers

_MESSAGE_ID = re.compile(r"<[!#-\[\]-~]{1,250}>")
"""Without quotes and backslashes: it is looked for in a quoted string."""


def message_id_of(mail: bytes) -> str:
    """With its angle brackets; empty if it has none that can be looked for."""
    found = _MESSAGE_ID.search(parse_headers(mail).get("message-id", ""))
    return found[0] if found else ""
