"""The mail server that mails are handed to, as configured."""

from vm_ari.adapters.mail_writing import ascii_address
from vm_ari.adapters.smtp import SmtpMailer, SmtpSecurity, SmtpServer
from vm_ari.adapters.trust import BadAddress
from vm_ari.config import BadConfig
from vm_ari.config.mail import SmtpSettings
from vm_ari.domain.callers import printable


def open_smtp(table: SmtpSettings, sender: str, *, key: str = "mail.sender") -> SmtpMailer:
    """Nothing is connected yet. *key* is the setting that *sender* comes from.

    Raises `BadConfig`.
    """
    address = ascii_address(sender)
    if address is None:
        raise BadConfig(f"{key}: “{printable(sender)}” is not a mail address.")
    server = SmtpServer(
        table.host,
        table.port,
        SmtpSecurity(table.security),
        table.user,
        table.account_password(),
        table.ca_file,
        table.timeout_seconds,
        table.called,
    )
    try:
        return SmtpMailer(server, address)
    except BadAddress as error:
        raise BadConfig(f"mail.smtp: {error}") from None
