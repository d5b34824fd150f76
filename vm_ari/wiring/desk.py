"""Everything that a dialogue may reach for, as configured."""

from dataclasses import dataclass

import structlog

from vm_ari.adapters.greeting_takes import FileGreetingTakes
from vm_ari.adapters.holiday_calendar import public_holiday
from vm_ari.adapters.playback_audio import PlaybackAudio
from vm_ari.dialogues.desk import Desk
from vm_ari.ports import GreetingsUnavailable, Voice
from vm_ari.services.accounts import Accounts
from vm_ari.services.call_backs import CallBacks
from vm_ari.services.call_records import CallRecords
from vm_ari.services.drafts import Drafts
from vm_ari.services.greetings import GreetingStudio
from vm_ari.services.inbox import Inboxes
from vm_ari.services.login_notices import LoginNotices
from vm_ari.services.logins import Logins
from vm_ari.services.own_settings import OwnSettings
from vm_ari.services.sender_names import SenderNames
from vm_ari.services.spoken_names import SpokenNames
from vm_ari.wiring.attempts import OpenAttempts, open_attempts
from vm_ari.wiring.deliveries import OpenDeliveries
from vm_ari.wiring.ground import Ground
from vm_ari.wiring.inbox import open_readings
from vm_ari.wiring.lamps import OpenLamps
from vm_ari.wiring.menus import open_keys
from vm_ari.wiring.missed_calls import MissedCallParts

log = structlog.get_logger("vm_ari.app")


@dataclass(frozen=True)
class OpenDesk:
    """The desk, and what must run or be closed for it."""

    desk: Desk
    login_notices: LoginNotices
    attempts: OpenAttempts
    _takes: FileGreetingTakes
    _playback: PlaybackAudio

    async def claim(self) -> None:
        """Where greetings are recorded; calls can be answered without that."""
        try:
            await self._takes.claim()
        except GreetingsUnavailable as error:
            log.error("no greeting can be recorded", reason=str(error))

    async def close(self) -> None:
        """Let running work end."""
        await self.attempts.close()
        self._playback.close()


def open_desk(
    ground: Ground,
    deliveries: OpenDeliveries,
    lamps: OpenLamps,
    missed: MissedCallParts,
    voice: Voice,
    records: CallRecords,
) -> OpenDesk:
    """To be closed by the caller. Raises `BadConfig`."""
    config, directory, rules = ground.config, ground.directory, ground.rules
    takes = FileGreetingTakes(config.spool.directory)
    playback, attempts = PlaybackAudio(), open_attempts(config, ground.clock)
    login_notices = _login_notices(ground)
    outbox = deliveries.outbox
    desk = Desk(
        accounts=Accounts(directory, rules.sites),
        logins=_logins(ground, attempts, login_notices, missed),
        drafts=Drafts(ground.spool, ground.clock, rules.limits, ground.host, outbox.take),
        inboxes=_inboxes(ground, lamps),
        readings=open_readings(config, voice),
        greetings=ground.greetings,
        studio=GreetingStudio(ground.greetings, takes, config.greetings.phone_limits()),
        own_settings=_own_settings(ground),
        rules=rules,
        keys=open_keys(config),
        clock=ground.clock,
        calendar=public_holiday,
        transfer=config.transfer_rules(),
        on_call=ground.post.welcome.called,
        at_speed=playback.at_speed,
        sender_name=SenderNames(directory, ground.greetings, ground.clock).of,
        spoken_name=SpokenNames(voice).of,
        quotas=deliveries.quotas,
        sendings=deliveries.sending.sendings(outbox.wake),
        call_backs=_call_backs(ground),
        rights=ground.rights.rights,
        records=records,
    )
    return OpenDesk(desk, login_notices, attempts, takes, playback)


def _login_notices(ground: Ground) -> LoginNotices:
    return LoginNotices(
        ground.directories.register,
        ground.directory,
        ground.notices,
        ground.clock,
        ground.config.login_rules(),
    )


def _logins(
    ground: Ground, attempts: OpenAttempts, notices: LoginNotices, missed: MissedCallParts
) -> Logins:
    return Logins(
        ground.directory,
        ground.clock,
        ground.config.login_rules(),
        attempts.attempts,
        on_failure=notices.failed,
        on_success=missed.signed_in,
    )


def _inboxes(ground: Ground, lamps: OpenLamps) -> Inboxes:
    rules = ground.rules
    return Inboxes(
        ground.store.mailboxes,
        lamps.keeper,
        rules.deletion,
        rules.list_order,
        lamps.told.presence,
    )


def _own_settings(ground: Ground) -> OwnSettings:
    config = ground.config
    return OwnSettings(
        ground.directory, ground.rules, config.dialling_rules(), config.rights.caps()
    )


def _call_backs(ground: Ground) -> CallBacks:
    config = ground.config
    return CallBacks(
        ground.directory,
        ground.clock,
        config.call_back.rules(config.dialling_rules(), config.rights.caps()),
        ground.rules.sites,
        ground.rights.rights,
    )
