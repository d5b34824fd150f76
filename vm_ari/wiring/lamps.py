"""Lamps and other notices of new messages, and what notices that mailboxes have changed."""

from dataclasses import dataclass

from vm_ari.adapters.ari.application import AriApplication
from vm_ari.adapters.lamps import AsteriskLamps
from vm_ari.domain.users import User
from vm_ari.services.lamps import LampKeeper
from vm_ari.wiring.asterisk import lamp_settings
from vm_ari.wiring.ground import Ground
from vm_ari.wiring.notifications import People, Told, open_notifications
from vm_ari.wiring.watching import Watching, open_watching


@dataclass(frozen=True)
class OpenLamps:
    """What a controller needs of them."""

    phones: AsteriskLamps
    keeper: LampKeeper
    told: Told
    watching: Watching

    def delivered(self, user: User) -> None:
        """A message has come into that user's mailbox; returns at once."""
        self.keeper.delivered(user.id)
        self.watching.watch.changed(user.id, user)

    async def connected(self) -> None:
        """Asterisk is there (again): show every lamp anew, as it was counted last."""
        await self.phones.connected()
        self.watching.watch.connected()

    async def close(self) -> None:
        """Leave what is under way to the next start."""
        await self.told.close()
        await self.phones.close()


def open_lamps(ground: Ground, ari: AriApplication) -> OpenLamps:
    """Nothing is connected yet; to be closed by the caller. Raises `BadConfig`."""
    config, directory, store = ground.config, ground.directory, ground.store
    phones = AsteriskLamps(ari.connection, lamp_settings(config))

    async def refresh(user: User) -> None:
        """Its rule has changed."""
        watching.watch.changed(user.id)

    told = open_notifications(
        config,
        ground.keys,
        People(directory, ground.directories.register, store.mailboxes, ground.clock),
        ground.notices,
        refresh,
        ground.journal,
        accounts=phones.accounts,
        rights=ground.rights.rights,
    )
    counting = store.counting or store.mailboxes
    keeper = LampKeeper(phones, counting, directory, told.rules.counted, phones.was_told)
    watching = open_watching(config, keeper, directory, store, phones)
    return OpenLamps(phones, keeper, told, watching)
