"""The lamp as a bare NOTIFY from Asterisk, ordered through its manager interface: the last resort.

Asterisk remembers nothing of it: a phone that registers later is not told. It goes to the
endpoint that has the mailbox's name, and to all its contacts.
"""

from vm_ari.adapters.ami import AmiClient, AmiError, AmiUnavailable, ManagerAccount
from vm_ari.adapters.lamps.accounts import MessageAccounts
from vm_ari.adapters.lamps.method import LampCounts, LampNotTold, LampRefused

NOTIFY_MODULE = "res_pjsip_notify.so"


class Notifier:
    """AMI's PJSIPNotify with the body of RFC 3842."""

    def __init__(self, account: ManagerAccount, accounts: MessageAccounts | None = None) -> None:
        self._ami = AmiClient(account)
        self._accounts = accounts or MessageAccounts()

    async def tell(self, mailbox: str, counts: LampCounts) -> None:
        """See `Method`."""
        try:
            body = _notify(counts, self._accounts.of(mailbox))
            await self._ami.act("PJSIPNotify", {"Endpoint": mailbox, "Variable": body})
        except AmiUnavailable as error:
            raise LampNotTold(str(error)) from error
        except (AmiError, ValueError) as error:
            raise LampRefused(f"PJSIPNotify to the endpoint {mailbox}: {error}") from error

    async def close(self) -> None:
        """See `Method`."""
        await self._ami.close()


def _notify(counts: LampCounts, account: str) -> list[str]:
    return [
        "Event=message-summary",
        "Subscription-State=terminated",
        "Content-type=application/simple-message-summary",
        f"Content=Messages-Waiting: {'yes' if counts.new else 'no'}",
        *([f"Content=Message-Account: {account}"] if account else []),
        f"Content=Voice-Message: {counts.new}/{counts.old} (0/0)",
    ]
