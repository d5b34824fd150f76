"""The composition root: builds the adapters, wires the services, serves until told to stop."""

import asyncio
import functools
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from typing import Any

import structlog

from vm_ari.adapters.ari.application import Arrival
from vm_ari.adapters.ari.line import AriLine
from vm_ari.config import Config
from vm_ari.dialogues import orphan
from vm_ari.domain import spoken_orders
from vm_ari.domain.messages import VoiceMessage
from vm_ari.domain.users import User
from vm_ari.ports import GreetingsUnavailable, SpoolFull
from vm_ari.services.keeping_up import kept_up
from vm_ari.speech.language import language
from vm_ari.telephony.call import Call
from vm_ari.telephony.channel import Channel
from vm_ari.wiring.arrivals import OWN_CALLS, open_application, serve_arrival
from vm_ari.wiring.conferences import open_conferences
from vm_ari.wiring.deliveries import open_deliveries
from vm_ari.wiring.desk import open_desk
from vm_ari.wiring.fax_reception import open_fax_reception
from vm_ari.wiring.faxes import open_faxes
from vm_ari.wiring.ground import Ground, open_ground
from vm_ari.wiring.inbox import open_telephone_voice
from vm_ari.wiring.lamps import open_lamps
from vm_ari.wiring.live_calls import open_live_calls
from vm_ari.wiring.metrics import Watched, open_observation
from vm_ari.wiring.missed_calls import open_missed_calls
from vm_ari.wiring.rescue import Leftovers, Rescued
from vm_ari.wiring.ringing import open_ringing
from vm_ari.wiring.site_mails import open_site_mails
from vm_ari.wiring.spoken import open_spoken
from vm_ari.wiring.surroundings import Surroundings
from vm_ari.wiring.web import open_portal

log = structlog.get_logger("vm_ari.app")

TIDY_SECONDS = 3600
"""So often recordings are erased that nobody hears any more."""


class Node:
    """One controller beside one Asterisk."""

    def __init__(self, config: Config) -> None:
        self._ground = ground = open_ground(config)
        self._rescued = Rescued()
        self.ari = open_application(config, self)
        self._lamps = open_lamps(ground, self.ari)
        self._open_messages(ground)
        self._open_calls(ground)
        self._open_views(ground)

    def _open_messages(self, ground: Ground) -> None:
        """What comes, goes and is told without any call of a person."""
        config, directory, clock = ground.config, ground.directory, ground.clock
        notices, journal = ground.notices, ground.journal
        self._missed = open_missed_calls(config, directory, notices, clock, journal)
        self._ringing = open_ringing(config, clock, self._missed.over)
        self._faxes = open_faxes(
            config, ground.keys, clock, directory, notices, journal, ground.rights.rights
        )
        self._deliveries = open_deliveries(
            ground, self._missed.noting, self._faxes.forward, self._delivered
        )
        self._outbox = self._deliveries.outbox
        self._faxes_in = open_fax_reception(
            config, clock, self.ari.is_alive, self._outbox.wake, journal.messages
        )
        lamp_off = self._lamps.told.rules.lamp_off
        self._site_mails = open_site_mails(
            config, directory, ground.greetings, notices, clock, lamp_off
        )

    def _open_calls(self, ground: Ground) -> None:
        """What serves callers, and those whom we call."""
        config, directory, clock = ground.config, ground.directory, ground.clock
        journal, voice = ground.journal, open_telephone_voice(config)
        self._live = open_live_calls(config, clock, journal.node, self.ari)
        records = self._live.watching(self._missed.listening(journal.calls))
        self._behind_desk = open_desk(
            ground, self._deliveries, self._lamps, self._missed, voice, records
        )
        self._conferences = open_conferences(
            config,
            self.ari,
            ground.spool,
            directory,
            self._behind_desk.desk.logins,
            clock,
            node=journal.node,
            on_kept=self._outbox.wake,
        )
        self._desk = replace(self._behind_desk.desk, conferences=self._conferences.rooms)
        self._spoken = open_spoken(
            config,
            ground.keys,
            clock,
            directory,
            ground.notices,
            journal,
            ground.rights.rights,
            self.ari,
            voice,
        )
        self._own_calls = {**OWN_CALLS, spoken_orders.PURPOSE: self._spoken.serve}

    def _open_views(self, ground: Ground) -> None:
        """What people and programs see of us."""
        watch, node = self._lamps.watching.watch, ground.journal.node
        watched = Watched(self.ari, ground.directory, self._outbox.waiting, watch, node)
        self.observation = open_observation(ground.config, watched)
        surroundings = Surroundings(
            ground.keys,
            ground.clock,
            ground.directories,
            self._desk.logins,
            ground.store.mailboxes,
            ground.greetings,
            ground.notices,
            lamps=self._lamps.keeper,
        )
        self._portal = open_portal(ground.config, surroundings)

    async def run(self) -> None:
        """Serve until cancelled. Raises `SpoolInUse` when another controller has the spool."""
        await self._claim()
        try:
            async with asyncio.TaskGroup() as parts:
                for name, run in self._needed_for_calls().items():
                    parts.create_task(run(), name=name)
                for name, part in self._beside_calls().items():
                    parts.create_task(kept_up(name, part), name=name)
        finally:
            await self._close()

    async def _claim(self) -> None:
        await self._ground.claim()
        await self._behind_desk.claim()

    async def _close(self) -> None:
        await self._portal.close()
        await self._conferences.close()
        self._faxes_in.close()
        await self._live.close()
        await self._site_mails.close()
        await self._faxes.close()
        await self._spoken.close()
        self._deliveries.close()
        await self._missed.close()
        await self._behind_desk.close()
        await self._lamps.close()
        await self._ground.close()

    def leftovers(self) -> Leftovers:
        """What brings on its way what another node has left in our spool, without any call."""
        return Leftovers(
            self._ground.spool,
            self._outbox,
            (
                self._outbox.run,
                self._faxes_in.run_alone,
                self._ground.post.mails.run,
                self._deliveries.outlet.run,
                self._lamps.told.run,
            ),
            self._rescued,
            self._close,
        )

    def _needed_for_calls(self) -> Mapping[str, Callable[[], Coroutine[Any, Any, None]]]:
        """What there must be: where one of these fails, the controller ends."""
        return {
            **self._deliveries.parts(),
            "calls": self.ari.run,
            "observation": self.observation.run,
            "directory": self._ground.directories.keep_fresh,
            "greetings": self._keep_greetings_tidy,
            "mails": self._ground.post.mails.run,
            "welcome mails": self._ground.post.welcome.run,
            "login notices": self._behind_desk.login_notices.run,
        }

    def _beside_calls(self) -> Mapping[str, Callable[[], Awaitable[None]]]:
        """What calls can do without."""
        return {
            "site mails": self._site_mails.run,
            "attempts": self._behind_desk.attempts.run,
            "faxes": self._faxes.run,
            "spoken messages": self._spoken.run,
            "rights": self._ground.rights.run,
            "journal": self._ground.journal.run,
            "live calls": self._live.run,
            "conferences": self._conferences.run,
            "received faxes": self._faxes_in.run,
            "portal": self._portal.run,
            "missed calls": self._missed.run,
            "ringing": self._ringing.run,
            "lamps": self._lamps.watching.run,
            "notices": self._lamps.told.run,
        }

    async def _delivered(self, user: User) -> None:
        """A message has come into that user's mailbox."""
        self._rescued.note(user.id)
        self._lamps.delivered(user)
        await self._deliveries.quotas.after_delivery(user)

    async def _keep_greetings_tidy(self) -> None:
        while True:
            try:
                await self._ground.greetings.sweep()
            except GreetingsUnavailable as error:
                log.error("greetings cannot be tidied up", reason=str(error))
            await asyncio.sleep(TIDY_SECONDS)

    # --- what Asterisk brings us

    async def rehearse(self, line: Channel, arrival: Arrival) -> Sequence[VoiceMessage]:
        """Serve one call that no Asterisk carries, and tell what has been left then.

        For a node that does not `run`: nothing of it is delivered.
        """
        await self._claim()
        await self.call(line, arrival)
        return [message for message, *_ in await self._ground.spool.waiting()]

    async def call(self, line: Channel, arrival: Arrival) -> None:
        """Serve one call to its end."""
        await serve_arrival(line, arrival, self._desk, self._own_calls)

    async def orphan(self, line: AriLine) -> None:
        """A caller whose script died with an earlier controller."""
        if await self._conferences.adopts(line, self._desk):
            return
        log.info("orphaned call adopted", call=line.id)
        call = Call(line, language(self._ground.rules.language))
        adopt = functools.partial(self._outbox.adopt, self._conferences.alive, finished=line.id)
        await orphan.finish(call, self._desk, adopt)

    async def connected(self) -> None:
        """Finish what was left behind; show every lamp anew, as it was counted last."""
        await self._conferences.connected()
        try:
            await self._outbox.adopt(self._conferences.alive)
        except SpoolFull as error:
            log.error("left recordings cannot be read", reason=str(error))
        await self._lamps.connected()
