"""What the parts that send faxes and speak messages have in common, as configured."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from typing import Any, Generic, Protocol, TypeVar

from vm_ari.adapters.mail_listener import ListenerLimits, MailListener
from vm_ari.adapters.order_files import OrderFiles
from vm_ari.config import BadConfig, Config
from vm_ari.domain.dialling import DiallingRules
from vm_ari.domain.number_addresses import NumberAddress
from vm_ari.domain.numbers import Site
from vm_ari.domain.orders import Kept
from vm_ari.domain.users import User
from vm_ari.ports import Directory, MailDesk, Notices
from vm_ari.services.order_reports import OrderReports, OrderTold
from vm_ari.services.order_sending import OrderSending
from vm_ari.services.ordering import Ordering
from vm_ari.wiring.journal import OpenJournal
from vm_ari.wiring.rights import OpenRights

Desk = TypeVar("Desk", bound=Ordering[Any])


class OrderTable(Protocol):
    """Settings of one kind of orders."""

    mail_host: str
    mail_port: int

    def dialling(self, otherwise: DiallingRules, site: Site) -> DiallingRules:
        """For which numbers. Raises ValueError for a rule that is none."""
        ...

    def address(self) -> NumberAddress | None:
        """Which mails become orders; None: none do."""
        ...

    def networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """Who may bring mails."""
        ...


@dataclass(frozen=True)
class OpenOrdering(Generic[Desk]):
    """Ordering, for any process."""

    ordering: Desk
    orders: OrderFiles[Any]
    _rights: OpenRights

    def close(self) -> None:
        """Let running work end."""
        self.orders.shut()
        self._rights.shut()


@dataclass(frozen=True)
class OpenOrderPages:
    """What the portal has of them: nothing where there are none."""

    parts: tuple[object, ...] = ()
    _opened: OpenOrdering[Any] | None = None

    def close(self) -> None:
        """Let running work end."""
        if self._opened:
            self._opened.close()


@dataclass(frozen=True)
class OrderWork:
    """What the controller does with them; everything is None where there are none."""

    _orders: OrderFiles[Any] | None = None
    _sending: OrderSending[Any, Any] | None = None
    _listener: MailListener | None = None

    async def run(self) -> None:
        """Make calls, and take mails, until cancelled."""
        async with asyncio.TaskGroup() as parts:
            for part in (self._sending, self._listener):
                if part is not None:
                    parts.create_task(part.run())

    async def close(self) -> None:
        """Calls go on without us; what waits goes on after the next start."""
        if self._listener:
            self._listener.close()
        if self._orders:
            self._orders.shut()


def dialling_of(table: OrderTable, config: Config) -> DiallingRules:
    """For which numbers the site takes such orders. Raises `BadConfig`."""
    try:
        return table.dialling(config.dialling_rules(), config.rules().site)
    except ValueError as error:
        raise BadConfig(str(error)) from None


def order_reports(
    directory: Directory,
    notices: Notices,
    journal: OpenJournal,
    tell: Callable[[Kept, User | None], OrderTold],
    config: Config,
) -> OrderReports[Kept]:
    """Who is told what of orders of one kind."""
    site = config.rules().sites[0]
    return OrderReports(directory, notices, journal.notes, tell, journal.node, site)


def order_listener(
    table: OrderTable, desk: Callable[[NumberAddress], MailDesk], limits: ListenerLimits
) -> MailListener | None:
    """Takes mails that become orders; None where none do."""
    address = table.address()
    if address is None:
        return None
    return MailListener(desk(address), table.mail_host, table.mail_port, table.networks(), limits)
