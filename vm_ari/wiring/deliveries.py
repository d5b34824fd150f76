"""The way of a message from the spool to its mailbox or out of the house, as configured."""

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from vm_ari.domain.users import User
from vm_ari.ports import Courier
from vm_ari.services.caller_names import NamedCallers
from vm_ari.services.default_recipient import DefaultRecipient
from vm_ari.services.deliveries import Pace
from vm_ari.services.dispatching import SendFax
from vm_ari.services.outbox import Outbox
from vm_ari.services.overdue import OverdueMessages
from vm_ari.services.quota import QuotaWarnings, WarningCourier
from vm_ari.wiring.ground import Ground
from vm_ari.wiring.sending import SendingParts, open_sending
from vm_ari.wiring.speech import Outlet, open_outlet


@dataclass(frozen=True)
class OpenDeliveries:
    """What a controller needs of it."""

    outbox: Outbox
    sending: SendingParts
    """What users send."""
    outlet: Outlet
    """Where messages leave, with transcripts or without."""
    quotas: QuotaWarnings
    overdue: OverdueMessages

    def parts(self) -> Mapping[str, Callable[[], Coroutine[Any, Any, None]]]:
        """What is to be run, by name."""
        return {
            "outbox": self.outbox.run,
            "transcripts": self.outlet.run,
            "people": self.sending.run,
            "overdue messages": self.overdue.run,
        }

    def close(self) -> None:
        """Let running work end."""
        self.outlet.close()
        self.sending.close()


def open_deliveries(
    ground: Ground,
    noting: Callable[[Courier], Courier],
    fax: SendFax | None,
    on_delivered: Callable[[User], Awaitable[None]],
) -> OpenDeliveries:
    """Nothing is begun yet. Raises `BadConfig`.

    *noting* puts an eye on what callers leave; *fax* sends what users forward to fax machines.
    """
    config, directory, clock = ground.config, ground.directory, ground.clock
    percent = config.imap.quota_warning_percent if config.imap else 0
    quotas = QuotaWarnings(ground.store.mailboxes, ground.notices, clock, percent)
    store = WarningCourier(ground.store.courier, quotas)
    outlet = open_outlet(config, store, directory, ground.notices)
    courier = noting(NamedCallers(outlet.courier, directory))
    sending = open_sending(config, courier, ground.spool, directory, ground.notices, clock, fax)
    outbox = Outbox(
        ground.spool,
        directory,
        sending.courier,
        clock,
        rules=ground.rules,
        host=ground.host,
        pace=Pace(settle=ground.store.settle),
        on_delivered=on_delivered,
        on_refused=sending.refused,
        on_sent=sending.arrived,
        records=ground.journal.messages,
    )
    return OpenDeliveries(outbox, sending, outlet, quotas, _overdue(ground, outbox))


def _overdue(ground: Ground, outbox: Outbox) -> OverdueMessages:
    return OverdueMessages(
        outbox.waiting,
        ground.spool.held,
        DefaultRecipient(ground.directory, ground.rules),
        ground.notices,
        ground.clock,
        timedelta(hours=ground.config.store.overdue_hours),
    )
