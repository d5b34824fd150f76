"""The composition root: builds the adapters, wires the services, serves until told to stop."""

import asyncio
import functools
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import structlog

from vm_ari.adapters.ari.application import AriApplication, Arrival
from vm_ari.adapters.ari.line import AriLine
from vm_ari.adapters.greeting_takes import FileGreetingTakes
from vm_ari.adapters.holiday_calendar import public_holiday
from vm_ari.adapters.lamps import AsteriskLamps
from vm_ari.adapters.playback_audio import PlaybackAudio
from vm_ari.adapters.sealing import KeyRing
from vm_ari.adapters.session_files import sweep_up
from vm_ari.adapters.spool import FileSpool
from vm_ari.config import Config
from vm_ari.dialogues import orphan
from vm_ari.dialogues.call_back_call import serve_call_back_call
from vm_ari.dialogues.desk import Desk, Visit
from vm_ari.dialogues.notice_call import serve_notice_call
from vm_ari.dialogues.play_on_phone import serve_playing_call
from vm_ari.dialogues.reception import receive
from vm_ari.dialogues.record_greeting import serve_recording_call
from vm_ari.domain import notice_call, playing_call, recording_call, spoken_orders
from vm_ari.domain.callers import caller_from
from vm_ari.domain.messages import VoiceMessage
from vm_ari.domain.numbers import Site
from vm_ari.domain.redirection import claims_from, redirection
from vm_ari.domain.users import User
from vm_ari.ports import GreetingsUnavailable, SpoolFull
from vm_ari.services.accounts import Accounts
from vm_ari.services.call_backs import CallBacks
from vm_ari.services.caller_names import NamedCallers
from vm_ari.services.default_recipient import DefaultRecipient
from vm_ari.services.deliveries import Pace
from vm_ari.services.drafts import Drafts
from vm_ari.services.greetings import GreetingStudio
from vm_ari.services.inbox import Inboxes
from vm_ari.services.keeping_up import kept_up
from vm_ari.services.lamps import LampKeeper
from vm_ari.services.login_notices import LoginNotices
from vm_ari.services.logins import Logins
from vm_ari.services.outbox import Outbox
from vm_ari.services.overdue import OverdueMessages
from vm_ari.services.own_settings import OwnSettings
from vm_ari.services.quota import QuotaWarnings, WarningCourier
from vm_ari.services.sender_names import SenderNames
from vm_ari.services.spoken_names import SpokenNames
from vm_ari.speech.language import UnknownLanguage, language
from vm_ari.telephony.call import Call
from vm_ari.telephony.channel import Channel
from vm_ari.wiring import open_directories, open_greetings
from vm_ari.wiring_asterisk import asterisk_address, lamp_settings
from vm_ari.wiring_attempts import open_attempts
from vm_ari.wiring_conferences import open_conferences
from vm_ari.wiring_fax_reception import open_fax_reception
from vm_ari.wiring_faxes import open_faxes
from vm_ari.wiring_inbox import open_readings, open_telephone_voice
from vm_ari.wiring_journal import open_journal
from vm_ari.wiring_live_calls import open_live_calls
from vm_ari.wiring_mail import open_post
from vm_ari.wiring_menus import open_keys
from vm_ari.wiring_metrics import Watched, open_observation
from vm_ari.wiring_missed_calls import open_missed_calls
from vm_ari.wiring_notifications import People, open_notifications
from vm_ari.wiring_rescue import Leftovers, Rescued
from vm_ari.wiring_rights import open_rights
from vm_ari.wiring_ringing import open_ringing
from vm_ari.wiring_sending import open_sending
from vm_ari.wiring_site_mails import open_site_mails
from vm_ari.wiring_speech import open_outlet
from vm_ari.wiring_spoken import open_spoken
from vm_ari.wiring_store import open_store
from vm_ari.wiring_watching import open_watching
from vm_ari.wiring_web import Surroundings, open_portal

log = structlog.get_logger("vm_ari.app")

TIDY_SECONDS = 3600
"""So often recordings are erased that nobody hears any more."""


class SystemClock:
    """The machine's time."""

    def now(self) -> datetime:
        """See `Clock`."""
        return datetime.now(UTC)


class Node:
    """One controller beside one Asterisk."""

    def __init__(self, config: Config) -> None:
        self._rules = config.rules()
        clock, host = SystemClock(), config.mail.sender.rpartition("@")[2]
        keys = KeyRing(config.directory.keys)
        self._directories = open_directories(config, keys, clock)
        self.directory = self._directories.for_calls
        self._spool = FileSpool(config.spool.directory)
        self._listening = config.spool.directory / "listening"
        self._store = open_store(config, keys, self._directories.register, self._listening)
        self.ari = AriApplication(
            asterisk_address(config),
            self,
            sounds=config.sounds.absolute(),
            now=time.time,
            app=config.asterisk.app,
            most_calls=config.asterisk.most_calls,
            latest_answer=config.asterisk.latest_answer,
            way=config.asterisk.way,
            endpoint=config.dialling.endpoint,
        )
        self._phones = AsteriskLamps(self.ari.connection, lamp_settings(config))
        self._post = open_post(
            config,
            keys,
            clock,
            self.directory,
            self._directories.register,
            doorman=self._store.doorman,
        )
        mailboxes = self._store.mailboxes
        people = People(self.directory, self._directories.register, mailboxes, clock)
        self._journal = open_journal(config, clock, self.directory)
        self._rights = open_rights(config, clock)
        self._live = open_live_calls(config, clock, self._journal.node, self.ari)
        self._told = open_notifications(
            config,
            keys,
            people,
            self._post.mails,
            self._refresh_lamp,
            self._journal,
            accounts=self._phones.accounts,
            rights=self._rights.rights,
        )
        counting = self._store.counting or mailboxes
        self._lamps = LampKeeper(
            self._phones,
            counting,
            self.directory,
            self._told.rules.counted,
            self._phones.was_told,
        )
        self._watching = open_watching(
            config, self._lamps, self.directory, self._store, self._phones
        )
        percent = config.imap.quota_warning_percent if config.imap else 0
        self._quotas = QuotaWarnings(self._store.mailboxes, self._post.mails, clock, percent)
        store_courier = WarningCourier(self._store.courier, self._quotas)
        self._outlet = open_outlet(config, store_courier, self.directory, self._post.mails)
        self._missed = open_missed_calls(
            config, self.directory, self._post.mails, clock, self._journal
        )
        self._ringing = open_ringing(config, clock, self._missed.over)
        courier = self._missed.noting(NamedCallers(self._outlet.courier, self.directory))
        self._faxes = open_faxes(
            config,
            keys,
            clock,
            self.directory,
            self._post.mails,
            self._journal,
            self._rights.rights,
        )
        self._sending = open_sending(
            config,
            courier,
            self._spool,
            self.directory,
            self._post.mails,
            clock,
            self._faxes.forward,
        )
        self._outbox = Outbox(
            self._spool,
            self.directory,
            self._sending.courier,
            clock,
            rules=self._rules,
            host=host,
            pace=Pace(settle=self._store.settle),
            on_delivered=self._delivered,
            on_refused=self._sending.refused,
            on_sent=self._sending.arrived,
            records=self._journal.messages,
        )
        self._faxes_in = open_fax_reception(
            config, clock, self.ari.is_alive, self._outbox.wake, self._journal.messages
        )
        self._greetings = open_greetings(config)
        self._site_mails = open_site_mails(
            config,
            self.directory,
            self._greetings,
            self._post.mails,
            clock,
            self._told.rules.lamp_off,
        )
        self._playback = PlaybackAudio()
        self._takes = FileGreetingTakes(config.spool.directory)
        self._rescued = Rescued()
        self._overdue = OverdueMessages(
            self._outbox.waiting,
            self._spool.held,
            DefaultRecipient(self.directory, self._rules),
            self._post.mails,
            clock,
            timedelta(hours=config.store.overdue_hours),
        )
        self._login_notices = LoginNotices(
            self._directories.register,
            self.directory,
            self._post.mails,
            clock,
            config.login_rules(),
        )
        self._attempts = open_attempts(config, clock)
        voice = open_telephone_voice(config)
        self._spoken = open_spoken(
            config,
            keys,
            clock,
            self.directory,
            self._post.mails,
            self._journal,
            self._rights.rights,
            self.ari,
            voice,
        )
        self._desk = Desk(
            accounts=Accounts(self.directory, self._rules.sites),
            logins=Logins(
                self.directory,
                clock,
                config.login_rules(),
                self._attempts.attempts,
                on_failure=self._login_notices.failed,
                on_success=self._missed.signed_in,
            ),
            drafts=Drafts(self._spool, clock, self._rules.limits, host, self._outbox.wake),
            inboxes=Inboxes(
                self._store.mailboxes,
                self._lamps,
                self._rules.deletion,
                self._rules.list_order,
                self._told.presence,
            ),
            readings=open_readings(config, voice),
            greetings=self._greetings,
            studio=GreetingStudio(self._greetings, self._takes, config.greetings.phone_limits()),
            own_settings=OwnSettings(
                self.directory, self._rules, config.dialling_rules(), config.rights.caps()
            ),
            rules=self._rules,
            keys=open_keys(config),
            clock=clock,
            calendar=public_holiday,
            transfer=config.transfer_rules(),
            on_call=self._post.welcome.called,
            at_speed=self._playback.at_speed,
            sender_name=SenderNames(self.directory, self._greetings, clock).of,
            spoken_name=SpokenNames(voice).of,
            quotas=self._quotas,
            sendings=self._sending.sendings(self._outbox.wake),
            call_backs=CallBacks(
                self.directory,
                clock,
                config.call_back.rules(config.dialling_rules(), config.rights.caps()),
                self._rules.sites,
                self._rights.rights,
            ),
            rights=self._rights.rights,
            records=self._live.watching(self._missed.listening(self._journal.calls)),
        )
        self._conferences = open_conferences(
            config,
            self.ari,
            self._spool,
            self.directory,
            self._desk.logins,
            clock,
            node=self._journal.node,
            on_kept=self._outbox.wake,
        )
        self._desk = replace(self._desk, conferences=self._conferences.rooms)
        self.observation = open_observation(
            config,
            Watched(
                self.ari,
                self.directory,
                self._outbox.waiting,
                self._watching.watch,
                self._journal.node,
            ),
        )
        self._portal = open_portal(
            config,
            Surroundings(
                keys,
                clock,
                self._directories,
                self._desk.logins,
                self._store.mailboxes,
                self._greetings,
                self._post.mails,
                lamps=self._lamps,
            ),
        )

    async def run(self) -> None:
        """Serve until cancelled. Raises `SpoolInUse` when another controller has the spool."""
        await self._spool.claim()
        self._listening.mkdir(exist_ok=True)
        await asyncio.to_thread(sweep_up, self._listening)
        await self._claim_takes()
        try:
            async with asyncio.TaskGroup() as parts:
                parts.create_task(self._outbox.run(), name="outbox")
                parts.create_task(self.ari.run(), name="calls")
                parts.create_task(self.observation.run(), name="observation")
                parts.create_task(self._directories.keep_fresh(), name="directory")
                parts.create_task(self._keep_greetings_tidy(), name="greetings")
                parts.create_task(self._post.mails.run(), name="mails")
                parts.create_task(self._outlet.run(), name="transcripts")
                parts.create_task(self._sending.run(), name="people")
                parts.create_task(self._post.welcome.run(), name="welcome mails")
                parts.create_task(self._login_notices.run(), name="login notices")
                parts.create_task(self._overdue.run(), name="overdue messages")
                for name, run in self._beside_calls().items():
                    parts.create_task(kept_up(name, run), name=name)
        finally:
            await self._close()

    async def _close(self) -> None:
        await self._portal.close()
        await self._conferences.close()
        self._faxes_in.close()
        await self._live.close()
        await self._told.close()
        await self._site_mails.close()
        await self._attempts.close()
        await self._faxes.close()
        await self._spoken.close()
        await self._post.close()
        self._outlet.close()
        await self._missed.close()
        self._sending.close()
        self._playback.close()
        await self._phones.close()
        await self._store.close()
        self._spool.close()
        await self._greetings.close()
        await self._directories.close()
        await self._rights.close()
        await self._journal.close()

    def leftovers(self) -> Leftovers:
        """What brings on its way what another node has left in our spool, without any call."""
        return Leftovers(
            self._spool,
            self._outbox,
            (
                self._outbox.run,
                self._faxes_in.run_alone,
                self._post.mails.run,
                self._outlet.run,
                self._told.run,
            ),
            self._rescued,
            self._close,
        )

    def _beside_calls(self) -> Mapping[str, Callable[[], Awaitable[None]]]:
        """What calls can do without."""
        return {
            "site mails": self._site_mails.run,
            "attempts": self._attempts.run,
            "faxes": self._faxes.run,
            "spoken messages": self._spoken.run,
            "rights": self._rights.run,
            "journal": self._journal.run,
            "live calls": self._live.run,
            "conferences": self._conferences.run,
            "received faxes": self._faxes_in.run,
            "portal": self._portal.run,
            "missed calls": self._missed.run,
            "ringing": self._ringing.run,
            "lamps": self._watching.run,
            "notices": self._told.run,
        }

    async def _refresh_lamp(self, user: User) -> None:
        """Its rule has changed."""
        self._watching.watch.changed(user.id)

    async def _delivered(self, user: User) -> None:
        """A message has come into that user's mailbox."""
        self._rescued.note(user.id)
        self._lamps.delivered(user.id)
        self._watching.watch.changed(user.id)
        await self._quotas.after_delivery(user)

    async def _claim_takes(self) -> None:
        """Calls can be answered without them."""
        try:
            await self._takes.claim()
        except GreetingsUnavailable as error:
            log.error("no greeting can be recorded", reason=str(error))

    async def _keep_greetings_tidy(self) -> None:
        while True:
            try:
                await self._greetings.sweep()
            except GreetingsUnavailable as error:
                log.error("greetings cannot be tidied up", reason=str(error))
            await asyncio.sleep(TIDY_SECONDS)

    # --- what Asterisk brings us

    async def rehearse(self, line: Channel, arrival: Arrival) -> Sequence[VoiceMessage]:
        """Serve one call that no Asterisk carries, and tell what has been left then.

        For a node that does not `run`: nothing of it is delivered.
        """
        await self._spool.claim()
        self._listening.mkdir(exist_ok=True)
        await self._claim_takes()
        await self.call(line, arrival)
        return [message for message, *_ in await self._spool.waiting()]

    async def call(self, line: Channel, arrival: Arrival) -> None:
        """Serve one call to its end."""
        if arrival.arguments[:1] == [recording_call.PURPOSE]:
            await self._record_greeting(line, arrival)
            return
        if arrival.arguments[:1] in ([playing_call.PURPOSE], [playing_call.CALL_BACK]):
            await self._play_message(line, arrival)
            return
        if arrival.arguments[:1] == [notice_call.PURPOSE]:
            await self._offer_messages(line, arrival)
            return
        if arrival.arguments[:1] == [spoken_orders.PURPOSE]:
            await self._spoken.serve(line, arrival.arguments, self._desk)
            return
        purpose, visit = _visit(arrival, self._rules.site)
        call = Call(line, language(self._rules.language))
        caller = visit.caller.number[-3:]
        log.info("call", call=line.id, purpose=purpose, mailbox=visit.dialled, caller=caller)
        await receive(call, purpose, visit, self._desk)

    async def _record_greeting(self, line: Channel, arrival: Arrival) -> None:
        """A call that a command made, so that a greeting is recorded."""
        try:
            key = recording_call.key_in(arrival.arguments)
            call = Call(line, language(key.language))
        except (recording_call.BadRecordingCall, UnknownLanguage) as error:
            log.error("recording call refused", call=line.id, reason=str(error))
            await line.hang_up()
            return
        log.info("recording call", call=line.id, owner=key.owner, slot=key.slot.value)
        await serve_recording_call(call, self._desk, key)

    async def _play_message(self, line: Channel, arrival: Arrival) -> None:
        """A call that a command made, so that a message is heard, or its sender called back."""
        try:
            wanted = playing_call.wanted_in(arrival.arguments)
        except playing_call.BadPlayingCall as error:
            log.error("playing call refused", call=line.id, reason=str(error))
            await line.hang_up()
            return
        log.info("playing call", call=line.id, user=wanted.owner, phone=wanted.phone[-3:])
        call = Call(line, language(self._rules.language))
        back = arrival.arguments[0] == playing_call.CALL_BACK
        await (serve_call_back_call if back else serve_playing_call)(call, self._desk, wanted)

    async def _offer_messages(self, line: Channel, arrival: Arrival) -> None:
        """A call that we made because somebody has new messages."""
        try:
            wanted = notice_call.wanted_in(arrival.arguments)
        except notice_call.BadNoticeCall as error:
            log.error("notice call refused", call=line.id, reason=str(error))
            await line.hang_up()
            return
        log.info("notice call", call=line.id, user=wanted.owner, phone=wanted.phone[-3:])
        call = Call(line, language(self._rules.language))
        await serve_notice_call(call, self._desk, wanted)

    async def orphan(self, line: AriLine) -> None:
        """A caller whose script died with an earlier controller."""
        if await self._conferences.adopts(line, self._desk):
            return
        log.info("orphaned call adopted", call=line.id)
        call = Call(line, language(self._rules.language))
        adopt = functools.partial(self._outbox.adopt, self._conferences.alive, finished=line.id)
        await orphan.finish(call, self._desk, adopt)

    async def connected(self) -> None:
        """Finish what was left behind; show every lamp anew, as it was counted last."""
        await self._conferences.connected()
        try:
            await self._outbox.adopt(self._conferences.alive)
        except SpoolFull as error:
            log.error("left recordings cannot be read", reason=str(error))
        await self._phones.connected()
        self._watching.watch.connected()


def _visit(arrival: Arrival, site: Site) -> tuple[str, Visit]:
    """What the call is for, and the facts that the dialplan passes with it."""
    padded = (*arrival.arguments, "", "", "", "", "")
    purpose, dialled, exits, presentation, phone, *claims = padded
    withheld = presentation.startswith("prohib")
    caller = caller_from(arrival.caller_number, arrival.caller_name, site, withheld=withheld)
    redirected = redirection(claims_from(claims), site, dialled)
    return purpose, Visit(caller, dialled, exits, phone, redirected, withheld)
