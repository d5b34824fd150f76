"""What users set for themselves, by telephone, in the portal or by an admin's hand."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Any

from vm_ari.domain.dialling import Denied, DiallingRules, may_dial
from vm_ari.domain.directory_text import Unstorable
from vm_ari.domain.greetings import GreetingType
from vm_ari.domain.language import LanguageMode
from vm_ari.domain.numbers import readable
from vm_ari.domain.preferences import (
    GREETING_LANGUAGE,
    GREETING_TYPE,
    LANGUAGE,
    PROFILE,
    PROFILE_AFTER,
    PROFILE_UNTIL,
    TRANSFERS,
    BadSetting,
)
from vm_ari.domain.profiles import ProfileName
from vm_ari.domain.rights import Caps, Outgoing, Refused, may_send
from vm_ari.domain.settings import Rules
from vm_ari.domain.transfer import leads_back, own_numbers
from vm_ari.domain.users import User
from vm_ari.ports import DirectoryUnavailable, SettingsStore, UnknownUser


class NotStored(Exception):
    """A change could not be stored, and nothing is different. The text says why."""


class NotOffered(ValueError):
    """The site does not offer that profile. The text names those that it does."""


class NumberRefused(ValueError):
    """Callers must not be connected to that number. The text says why."""

    def __init__(self, text: str, refused: Refused | None = None) -> None:
        super().__init__(text)
        self.refused = refused
        """By the rights of the user, where they are why."""


@dataclass(frozen=True)
class OwnSettings:
    """Changes of a user's own settings.

    Each is durable before it returns the user as he is then, and raises `NotStored`.
    """

    store: SettingsStore
    rules: Rules = field(default_factory=Rules)
    dialling: DiallingRules = field(default_factory=DiallingRules)
    caps: Caps = field(default_factory=Caps)

    async def activate(
        self, user: User, profile: ProfileName, last_day: date | None = None
    ) -> User:
        """Make it the active profile; after the *last_day* the one before is active again.

        Raises `NotOffered`.
        """
        if not self.rules.offers(profile):
            raise NotOffered(f"Profile {profile} is not offered; there are {self._offered()}.")
        until = None if last_day is None else datetime.combine(last_day + timedelta(days=1), time())
        lasting = user.profile_until is None and user.profile is not profile
        after = user.profile if until and lasting else user.profile_after
        texts = {
            PROFILE.key: PROFILE.format(profile),
            PROFILE_UNTIL.key: PROFILE_UNTIL.format(until),
            **({PROFILE_AFTER.key: PROFILE_AFTER.format(after)} if until else {}),
        }
        return await self._change(
            user, texts, profile=profile, profile_until=until, profile_after=after
        )

    async def set_transfer(
        self, user: User, profile: ProfileName, number: str, *, dialled: bool = False
    ) -> User:
        """Whom the callers of a profile can be connected to.

        *dialled*: typed on a telephone of the site. Raises `NumberRefused`.
        """
        return await self._store_transfer(user, profile, self.destination(user, number, dialled))

    async def remove_transfer(self, user: User, profile: ProfileName) -> User:
        """Callers of that profile are connected to nobody, whatever the site's default is."""
        return await self._store_transfer(user, profile, "")

    async def set_language(self, user: User, code: str) -> User:
        """Of menus, mails and web pages."""
        return await self._change(user, {LANGUAGE.key: LANGUAGE.format(code)}, language=code)

    async def set_greeting_language(self, user: User, mode: LanguageMode) -> User:
        """Who decides in which language callers are greeted."""
        texts = {GREETING_LANGUAGE.key: GREETING_LANGUAGE.format(mode)}
        return await self._change(user, texts, greeting_language=mode)

    async def set_greeting_type(self, user: User, kind: GreetingType) -> User:
        """What the greetings are made of."""
        texts = {GREETING_TYPE.key: GREETING_TYPE.format(kind)}
        return await self._change(user, texts, greeting_type=kind)

    def destination(self, user: User, number: str, dialled: bool = False) -> str:
        """The number to store for one in any spelling. Raises `NumberRefused`."""
        match may_dial(number, self.dialling, self.rules.sites, dialled=dialled):
            case Denied() as denied:
                raise NumberRefused(denied.reason)
            case allowed:
                own = own_numbers((*user.numbers, user.mailbox), self.rules.site)
                if leads_back(allowed.number, own, ()):
                    shown = readable(allowed.number, self.rules.site)
                    raise NumberRefused(f"{shown} is the number of this mailbox itself.")
                sites = self.rules.sites
                if refused := may_send(user, Outgoing.VOICE, allowed, self.caps, sites):
                    raise NumberRefused(refused.reason, refused)
                return allowed.number

    async def _store_transfer(self, user: User, profile: ProfileName, number: str) -> User:
        setting = TRANSFERS[profile]
        transfers = {**dict(user.transfers), profile: number}
        texts = {setting.key: setting.format(number)}
        ordered = tuple((name, transfers[name]) for name in ProfileName if name in transfers)
        return await self._change(user, texts, transfers=ordered)

    async def _change(self, user: User, texts: Mapping[str, str | None], **fields: Any) -> User:
        """Not read again: what is stored is known, and a second server may not have it yet."""
        try:
            await self.store.change_settings(user.id, texts)
        except (DirectoryUnavailable, UnknownUser, Unstorable, BadSetting) as error:
            raise NotStored(str(error)) from error
        return replace(user, **fields)

    def _offered(self) -> str:
        return ", ".join(self.rules.profiles)
