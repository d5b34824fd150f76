"""The delivered message as a mail client sees it: the newest mail of a Maildir."""

import email.policy
from email.errors import MessageError
from email.message import EmailMessage
from email.parser import BytesParser

from vm_ari.adapters.maildir_tree import store_name
from vm_ari.config import Config
from vm_ari.domain.callers import printable
from vm_ari.domain.users import User

_SHOWN = ("From", "To", "Subject", "Date")
_LONGEST = 200


def delivered_mail(config: Config, user: User) -> list[str]:
    """Some of its lines; none for what lies on a mail server, or cannot be read."""
    if config.store.kind != "local":
        return []
    box = config.store.maildir / store_name(user)
    try:
        newest = max(box.glob("new/*"), key=lambda path: path.stat().st_mtime_ns)
        mail = BytesParser(policy=email.policy.default).parsebytes(newest.read_bytes())
    except (OSError, ValueError, MessageError):
        return []
    assert isinstance(mail, EmailMessage)
    lines = [f"{name}: {printable(str(mail[name]), _LONGEST)}" for name in _SHOWN if mail[name]]
    for part in mail.iter_attachments():
        size = len(part.get_payload(decode=True) or b"")
        lines.append(f"attached: {printable(part.get_filename() or '', 60)}, {size:,} bytes")
    return [*lines, f"(the file {newest})"]
