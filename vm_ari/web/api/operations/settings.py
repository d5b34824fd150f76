"""Settings: what counts, where it comes from, and one's own values (DIR-03, WEB-01)."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from functools import cache
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import structlog
from pydantic import Field

from vm_ari.domain.active_profile import active_profile
from vm_ari.domain.portal_rights import Feature
from vm_ari.domain.preferences import (
    LONGEST_VALUE,
    NOTIFY,
    OFFICE_HOURS,
    SETTINGS,
    Layers,
    Setting,
    effective,
)
from vm_ari.domain.profiles import ProfileName
from vm_ari.services.own_settings import NotOffered, NotStored
from vm_ari.web.admin_parts import AdminParts
from vm_ari.web.api.models import Given, Line, Told
from vm_ari.web.api.operation import Answer, Ask, Operation
from vm_ari.web.api.problems import Fault, Problem, invalid
from vm_ari.web.fields import BY_DEFAULT, Form
from vm_ari.web.fields import Field as Shown
from vm_ari.web.pages import all_pages, notifications, office_hours, profiles
from vm_ari.web.settings_page import SettingsPage, described, store
from vm_ari.web.visit import Visit

log = structlog.get_logger("vm_ari.portal")

LONGEST_PROFILE = timedelta(days=3 * 366)
Value = Annotated[str, Field(max_length=LONGEST_VALUE)]


class SettingTold(Told):
    """One setting."""

    key: str
    value: str = Field(description="The one that counts, as it is written.")
    origin: Literal["user", "organisation", "site", "default"]
    own: str | None = Field(description="The user's own value; null: there is none.")
    inherited: str = Field(description="What would count without an own value.")
    expects: str = Field(description="What can be written.")
    help: str
    options: list[str] = Field(description="The only possible values; empty: see *expects*.")
    may_change: bool = Field(description="May this token's owner change it here?")


class SettingsTold(Told):
    """Settings of a user."""

    settings: list[SettingTold]


class SettingsGiven(Given):
    """Other own values."""

    settings: Annotated[dict[Line, Value | None], Field(min_length=1, max_length=len(SETTINGS))] = (
        Field(description="By key; null takes the own value away. All are stored, or none.")
    )


class ProfileTold(Told):
    """The active profile."""

    profile: str = Field(description="What the user has chosen.")
    until: date | None = Field(description="Its last day, in the user's time; null: no end.")
    answers: str = Field(description="The one that answers calls from outside now.")
    why: str
    offered: list[str]


class ProfileGiven(Given):
    """Another active profile."""

    profile: ProfileName = Field(strict=False)
    until: date | None = Field(default=None, description="Its last day; then the one before.")


@cache
def features() -> Mapping[str, Feature]:
    """On which page users find a setting, and so what lets them change it; the others never."""
    found: dict[str, Feature] = {}
    for page in all_pages():
        shown = getattr(page.show, "__self__", None)
        if isinstance(shown, SettingsPage):
            found |= {one.key: shown.feature for one in shown.settings}
    found |= {one.key: Feature.PROFILES for one in profiles.SETTINGS}
    return found | {one.key: Feature.OFFICE_HOURS for one in (OFFICE_HOURS, *office_hours.SETTINGS)}


def may_change(visit: Visit, key: str) -> bool:
    """Who acts for somebody changes everything, users what is on their pages and not reserved."""
    if visit.acting:
        return True
    feature = features().get(key)
    return feature is not None and visit.parts.rights.may_change_own(feature)


async def show(ask: Ask) -> Answer:
    """All of them."""
    return await _told(ask.visit, SETTINGS.values())


async def change(ask: Ask) -> Answer:
    """All or none."""
    await _change(ask.visit, ask.given(SettingsGiven).settings)
    return await show(await ask.fresh())


async def show_notifications(ask: Ask) -> Answer:
    """Those that say how the user is told of news."""
    return await _told(ask.visit, _notifications())


async def change_notifications(ask: Ask) -> Answer:
    """The same, and no others."""
    given = ask.given(SettingsGiven).settings
    known = {one.key for one in _notifications()}
    if strange := sorted(given.keys() - known):
        raise invalid(f"body.settings.{strange[0]}", "This is no setting of notifications.")
    await _change(ask.visit, given)
    return await show_notifications(await ask.fresh())


async def show_profile(ask: Ask) -> Answer:
    """Which profile is active."""
    return _profile(ask.visit)


async def activate(ask: Ask) -> Answer:
    """Another one, until a day or for good."""
    visit, given = ask.visit, ask.given(ProfileGiven)
    today = visit.parts.clock.now().astimezone(ZoneInfo(visit.user.time_zone)).date()
    if given.until and not today <= given.until <= today + LONGEST_PROFILE:
        raise invalid("body.until", f"Write a day from {today} on, within three years.")
    try:
        await visit.parts.own_settings.activate(visit.user, given.profile, given.until)
    except NotOffered as error:
        raise invalid("body.profile", str(error)) from None
    except NotStored as error:
        log.warning("profile not activated", user=visit.user.id, reason=str(error))
        raise Problem("away", visit.words("forms.not-stored")) from None
    chosen = given.profile.value
    log.info("profile activated", user=visit.user.id, by=visit.me.entry.id, profile=chosen)
    return await show_profile(await ask.fresh())


async def _change(visit: Visit, given: Mapping[str, str | None]) -> None:
    """Raises `Problem`, `DirectoryUnavailable`."""
    if strange := sorted(given.keys() - SETTINGS.keys()):
        raise invalid(f"body.settings.{strange[0][:60]}", "There is no such setting.")
    fixed = [key for key in given if not may_change(visit, key)]
    if fixed:
        raise Problem("fixed", visit.words("problem.fixed.text"), where=f"body.settings.{fixed[0]}")
    sent = {key: (text or "").strip() or _nothing(key) for key, text in given.items()}
    form = (await described(visit)).typed([SETTINGS[key] for key in given], sent)
    if form.errors:
        raise _faults(form)
    if error := await store(visit, form.changes):
        raise Problem("invalid", error, where="body.settings")
    if (admin := visit.part(AdminParts)) is not None:
        admin.users.changed()


def _nothing(key: str) -> str:
    """How a field says that there is no own value; of channels, nothing chosen means none."""
    return BY_DEFAULT if SETTINGS[key] in NOTIFY.values() else ""


def _faults(form: Form) -> Problem:
    faults = [Fault(where=f"body.settings.{one.key}", what=one.error) for one in form.errors]
    return Problem("invalid", faults[0].what, where=faults[0].where, faults=faults)


async def _told(visit: Visit, settings: Iterable[Setting[Any]]) -> SettingsTold:
    wanted = list(settings)
    form = (await described(visit)).form(wanted)
    layers = await visit.parts.users.layers(visit.owner)
    above = Layers({}, layers.organisation, layers.site)
    return SettingsTold(
        settings=[
            _setting(
                visit,
                one,
                shown,
                one.form.write(effective(one, layers).value),
                one.form.write(effective(one, above).value),
            )
            for one, shown in zip(wanted, form.fields, strict=True)
        ]
    )


def _setting(
    visit: Visit, setting: Setting[Any], shown: Shown, value: str, inherited: str
) -> SettingTold:
    return SettingTold(
        key=setting.key,
        value=value,
        origin=shown.origin.value,
        own=shown.typed or None,
        inherited=inherited,
        expects=setting.form.expects,
        help=setting.doc,
        options=[one.value for one in shown.options],
        may_change=may_change(visit, setting.key),
    )


def _profile(visit: Visit) -> ProfileTold:
    user, parts = visit.user, visit.parts
    now = parts.clock.now().astimezone(ZoneInfo(user.time_zone))
    rules = parts.own_settings.rules
    active = active_profile(user, rules, now, calendar=parts.calendar)
    until = user.profile_until
    return ProfileTold(
        profile=user.profile.value,
        until=(until - timedelta(microseconds=1)).date() if until else None,
        answers=active.profile.value,
        why=active.reason,
        offered=[one.value for one in rules.profiles],
    )


def _notifications() -> tuple[Setting[Any], ...]:
    """Those of the page."""
    (page,) = notifications.PAGES
    shown = getattr(page.show, "__self__", None)
    assert isinstance(shown, SettingsPage)
    return tuple(shown.settings)


OPERATIONS = (
    Operation(
        "listSettings",
        "GET",
        "settings",
        show,
        "Every setting: the value that counts, and where it comes from",
        SettingsTold,
        state=show,
    ),
    Operation(
        "changeSettings",
        "PATCH",
        "settings",
        change,
        "Change own values of settings",
        SettingsTold,
        takes=SettingsGiven,
        state=show,
    ),
    Operation(
        "listNotifications",
        "GET",
        "notifications",
        show_notifications,
        "How the user is told of messages and missed calls",
        SettingsTold,
        state=show_notifications,
    ),
    Operation(
        "changeNotifications",
        "PATCH",
        "notifications",
        change_notifications,
        "Change how the user is told of news",
        SettingsTold,
        takes=SettingsGiven,
        feature=Feature.NOTIFICATIONS,
        state=show_notifications,
    ),
    Operation(
        "showProfile",
        "GET",
        "profile",
        show_profile,
        "The active profile, and the one that answers now",
        ProfileTold,
        state=show_profile,
    ),
    Operation(
        "activateProfile",
        "PUT",
        "profile",
        activate,
        "Activate a profile, until a day or for good",
        ProfileTold,
        takes=ProfileGiven,
        feature=Feature.PROFILES,
        state=show_profile,
    ),
)
