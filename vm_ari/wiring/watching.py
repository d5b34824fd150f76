"""How changes in mailboxes are noticed, as configured."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from vm_ari.adapters.imap.access import Way
from vm_ari.adapters.imap.doorman import Doorman
from vm_ari.adapters.lamps import AsteriskLamps
from vm_ari.adapters.watching.idle import SHARED_LOGIN_MOST, IdleWatcher
from vm_ari.adapters.watching.maildirs import MaildirWatcher
from vm_ari.adapters.watching.names import NameBook
from vm_ari.adapters.watching.push import PushReceiver, Told
from vm_ari.config import Config
from vm_ari.ports import Directory
from vm_ari.services.lamps import LampKeeper
from vm_ari.services.watching import Tempo, Watch, Watcher
from vm_ari.wiring.store import MessageStore

SHARED_LOGINS = (Way.OTHER_USERS, Way.PATH)
"""Ways in which one account opens everybody's mailbox under its own name."""


@dataclass(frozen=True)
class Watching:
    """All that hears of changes, and the one that has them counted."""

    watch: Watch
    watchers: Sequence[Watcher]
    parts: Sequence[Callable[[], Coroutine[Any, Any, None]]]

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            for part in self.parts:
                group.create_task(part())


def open_watching(
    config: Config,
    keeper: LampKeeper,
    directory: Directory,
    store: MessageStore,
    lamps: AsteriskLamps,
) -> Watching:
    """Nothing is watched yet."""
    watch = Watch(keeper, directory, Tempo(round=config.watching.round_minutes * 60))
    watcher = _watcher(config, watch, directory, store)
    names = NameBook(watch.changed, config.imap.login if config.imap else "")
    watchers: list[Watcher] = [names]
    parts = [watch.run]
    if watcher:
        watchers.append(watcher)
        parts.append(watcher.run)
    if receiver := _receiver(config, watch, names, lamps):
        parts.append(receiver.run)
    for one in watchers:
        watch.tell(one)
    return Watching(watch, watchers, parts)


def _watcher(
    config: Config, watch: Watch, directory: Directory, store: MessageStore
) -> MaildirWatcher | IdleWatcher | None:
    table = config.watching
    if store.doorman is None:
        return MaildirWatcher(
            config.store.maildir,
            watch.changed,
            watch.recount_all,
            inotify=table.inotify,
            poll_seconds=table.poll_seconds,
        )
    most = most_idle(config, store.doorman)
    anew = table.idle_minutes * 60
    return IdleWatcher(store.doorman, directory, watch.changed, most=most, anew=anew)


def most_idle(config: Config, doorman: Doorman) -> int:
    """Connections that may listen, on each mail server."""
    administrator = doorman.rules.access.administrator
    shared = administrator is not None and administrator.way in SHARED_LOGINS
    most = config.watching.most_idle if config.watching.idle else 0
    return min(most, SHARED_LOGIN_MOST) if shared else most


def _receiver(
    config: Config, watch: Watch, names: NameBook, lamps: AsteriskLamps
) -> PushReceiver | None:
    table = config.watching
    if not table.push_port:
        return None
    told = Told(names.heard, watch.recount_all, lamps.shown)
    return PushReceiver(table.push_address, table.push_port, table.token(), told)
