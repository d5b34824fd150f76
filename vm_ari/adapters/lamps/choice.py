"""Which way this Asterisk offers to tell phones about their lamps."""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from vm_ari.adapters.ami import ManagerAccount
from vm_ari.adapters.ari.client import AriClient
from vm_ari.adapters.lamps.accounts import MessageAccounts
from vm_ari.adapters.lamps.method import Method
from vm_ari.adapters.lamps.notify import NOTIFY_MODULE, Notifier
from vm_ari.adapters.lamps.over_ari import (
    MAILBOXES_MODULE,
    MINIVM_MODULE,
    NO_DIALPLAN,
    AriMailboxes,
    Minivm,
    dialplan_is_there,
)
from vm_ari.adapters.lamps.publish import PUBLISH_MODULE, Publisher, SipAccount


class MethodName(Enum):
    """The ways, the best one first."""

    ARI = "ari"
    """ARI's mailboxes: Asterisk keeps the state, but few builds have the module."""
    MINIVM = "minivm"
    """The dialplan application MinivmMWI: every build."""
    PUBLISH = "publish"
    """SIP PUBLISH: the cheapest, needs an account in pjsip.conf."""
    AMI = "ami"
    """A bare NOTIFY by AMI: needs an account in manager.conf, and nothing is remembered."""


@dataclass(frozen=True)
class LampSettings:
    """What the site has decided."""

    method: MethodName | None = None
    """None: the first that is there."""
    publish: SipAccount | None = None
    manager: ManagerAccount | None = None
    accounts: MessageAccounts = field(default_factory=MessageAccounts)
    """For a bare NOTIFY; with all other ways Asterisk's own configuration says it."""


@dataclass(frozen=True)
class Choice:
    """What a look at Asterisk has shown."""

    method: MethodName | None
    """None: there is no way."""
    why: Mapping[MethodName, str]
    """A word on each that was looked at, in order."""


async def probe(client: AriClient, settings: LampSettings) -> Choice:
    """Choose the first way that is there, or see whether the one that was named is.

    Raises `AriError`, `AriUnavailable`.
    """
    why: dict[MethodName, str] = {}
    for name in [settings.method] if settings.method else MethodName:
        missing = await _LOOK[name](client, settings)
        why[name] = missing or "there"
        if not missing:
            return Choice(name, why)
    return Choice(None, why)


def build(name: MethodName, client: AriClient, settings: LampSettings) -> Method:
    """The method of that name; `probe` has found it."""
    match name:
        case MethodName.ARI:
            return AriMailboxes(client)
        case MethodName.MINIVM:
            return Minivm(client)
        case MethodName.PUBLISH if settings.publish:
            return Publisher(settings.publish)
        case MethodName.AMI if settings.manager:
            return Notifier(settings.manager, settings.accounts)
    raise ValueError(f"{name.value} needs an account")


async def _ari(client: AriClient, _: LampSettings) -> str:
    return await _missing(client, MAILBOXES_MODULE)


async def _minivm(client: AriClient, _: LampSettings) -> str:
    if missing := await _missing(client, MINIVM_MODULE):
        return missing
    return "" if await dialplan_is_there(client) else NO_DIALPLAN


async def _publish(client: AriClient, settings: LampSettings) -> str:
    if settings.publish is None:
        return "no SIP account is configured"
    return await _missing(client, PUBLISH_MODULE)


async def _ami(client: AriClient, settings: LampSettings) -> str:
    if settings.manager is None:
        return "no manager account is configured"
    return await _missing(client, NOTIFY_MODULE)


async def _missing(client: AriClient, module: str) -> str:
    return "" if await client.asterisk.module_runs(module) else f"{module} does not run"


Look = Callable[[AriClient, LampSettings], Coroutine[Any, Any, str]]
"""Says what is missing; nothing if all is there."""

_LOOK: Mapping[MethodName, Look] = {
    MethodName.ARI: _ari,
    MethodName.MINIVM: _minivm,
    MethodName.PUBLISH: _publish,
    MethodName.AMI: _ami,
}
