"""Signing in to the portal with a password (WEB-03): who it is, and how often strangers may try."""

import asyncio
import math
import unicodedata
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network

import structlog

from vm_ari.domain.entries import Entry
from vm_ari.domain.login_budget import Attempt, Pace
from vm_ari.measures import LOGINS
from vm_ari.ports import Clock, PasswordJudge
from vm_ari.services.logins import Attempts

log = structlog.get_logger("vm_ari.portal")
failed_logins = structlog.get_logger("vm_ari.login")

LONGEST_NAME = 254
LONGEST_PASSWORD = 512
ANSWER_STEP = 0.25
"""Seconds: a refusal comes at a multiple of them, so that its time does not tell its reason."""
SLOW_SECONDS = 2.0
"""What an attempt waits while far too many fail."""
Lookup = Callable[[str], Awaitable[Entry | None]]


@dataclass(frozen=True)
class PortalSignIn:
    """Judges names and passwords."""

    find: Lookup
    """By id or mail address. Raises `DirectoryUnavailable`."""
    judge: PasswordJudge
    clock: Clock
    by_address: Attempts = field(default_factory=Attempts)
    by_account: Attempts = field(default_factory=Attempts)

    async def sign_in(self, name: str, password: str, address: str) -> Entry | None:
        """The user, where name and password fit; everything else looks alike.

        Who tries too often, from one address or on one account, is refused unheard for a while.
        Raises `DirectoryUnavailable`, which is never counted as a wrong password.
        """
        begun = asyncio.get_running_loop().time()
        name = unicodedata.normalize("NFC", name.strip())
        pairs = ((self.by_address, network_of(address)), (self.by_account, name.casefold()))
        paces = [attempts.pace(key, self.clock) for attempts, key in pairs]
        counted = [attempts.begin(key, self.clock) for attempts, key in pairs]
        if paces[0] is Pace.REFUSED:  # who is refused anyway shall not lock the account, too
            self.by_account.succeeded(counted[1])
        entry = None
        if Pace.REFUSED not in paces:
            if Pace.SLOW in paces:
                await asyncio.sleep(SLOW_SECONDS)
            try:
                entry = await self._judged(name, password)
            except BaseException:
                self._forgive(counted)
                raise
        if entry:
            self._forgive(counted)
            LOGINS.add("portal", "right")
            return entry
        reason = "too many failures" if Pace.REFUSED in paces else "wrong"
        LOGINS.add("portal", reason.replace(" ", "-"))
        failed_logins.warning("portal sign-in failed", address=address, reason=reason)
        await _until_the_next_step(begun)
        return None

    async def _judged(self, name: str, password: str) -> Entry | None:
        """Nobody's password is judged, too: that takes as long as somebody's."""
        possible = 0 < len(name) <= LONGEST_NAME and 0 < len(password) <= LONGEST_PASSWORD
        entry = await self.find(name) if possible and name.isprintable() else None
        given = password if possible else "-"
        accepted = await self.judge.accepts(entry.id if entry else "", given)
        return entry if accepted and possible else None

    def _forgive(self, counted: list[Attempt]) -> None:
        for attempts, attempt in zip((self.by_address, self.by_account), counted, strict=True):
            attempts.succeeded(attempt)


def network_of(address: str) -> str:
    """What is counted as one: of IPv6, everybody has a whole network."""
    try:
        found = ip_address(address)
    except ValueError:
        return address[:64]
    return str(ip_network(f"{found}/64", strict=False)) if found.version == 6 else str(found)


async def _until_the_next_step(begun: float) -> None:
    passed = asyncio.get_running_loop().time() - begun
    await asyncio.sleep(max(1, math.ceil(passed / ANSWER_STEP)) * ANSWER_STEP - passed)
