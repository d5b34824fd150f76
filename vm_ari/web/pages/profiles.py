"""The profiles: which one is active, until when, what each lets callers do (GREET-01)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from http import HTTPStatus
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from starlette.responses import Response

from vm_ari.domain.active_profile import active_profile
from vm_ari.domain.portal_rights import Feature
from vm_ari.domain.preferences import (
    GREETING_TYPE,
    TAKES_MESSAGES,
    TAKES_MESSAGES_IN,
    Setting,
)
from vm_ari.domain.profiles import ProfileName
from vm_ari.services.own_settings import NotOffered, NotStored
from vm_ari.web.fields import Form
from vm_ari.web.page import Page
from vm_ari.web.settings_page import described, sent, store
from vm_ari.web.visit import Visit

log = structlog.get_logger("vm_ari.portal")

SETTINGS: tuple[Setting[Any], ...] = (GREETING_TYPE, TAKES_MESSAGES, *TAKES_MESSAGES_IN.values())
LONGEST = timedelta(days=3 * 366)


@dataclass(frozen=True)
class Choice:
    """One profile that can be activated."""

    name: str
    label: str
    chosen: bool
    destination: str


@dataclass(frozen=True)
class Typed:
    """What was put in and could not be taken."""

    profile: str = ""
    until: str = ""
    error: str = ""


async def show(visit: Visit) -> Response:
    """As everything is now."""
    return await _shown(visit)


async def change(visit: Visit) -> Response:
    """Activate a profile, or store the settings, by the form that was sent."""
    if visit.typed("what") == "activate":
        return await _activate(visit)
    form = (await described(visit)).typed(SETTINGS, sent(visit))
    if form.errors:
        return await _shown(visit, form=form)
    if error := await store(visit, form.changes):
        return await _shown(visit, form=form, error=error)
    return await visit.done("profiles.saved", "profiles")


async def _activate(visit: Visit) -> Response:
    typed = Typed(visit.typed("profile"), visit.typed("until").strip())
    try:
        last = _last_day(visit, typed.until)
        profile = ProfileName(typed.profile)
        await visit.parts.own_settings.activate(visit.user, profile, last)
    except _BadDay as error:
        return await _shown(visit, Typed(typed.profile, typed.until, str(error)))
    except (NotOffered, ValueError):
        return await _shown(visit, Typed(error=visit.words("profiles.not-offered")))
    except NotStored as error:
        log.warning("profile not activated", user=visit.user.id, reason=str(error))
        return await _shown(visit, typed, error=visit.words("forms.not-stored"))
    log.info("profile activated", user=visit.user.id, by=visit.me.entry.id, profile=profile.value)
    return await visit.done("profiles.activated", "profiles")


class _BadDay(Exception):
    """Not a day until which a profile can be active. The text is for the user."""


def _last_day(visit: Visit, text: str) -> date | None:
    if not text:
        return None
    today = visit.parts.clock.now().astimezone(ZoneInfo(visit.user.time_zone)).date()
    try:
        day = date.fromisoformat(text[:20])
    except ValueError:
        raise _BadDay(visit.words("profiles.no-day", typed=text[:20])) from None
    if not today <= day <= today + LONGEST:
        raise _BadDay(visit.words("profiles.past" if day < today else "profiles.far"))
    return day


def _choices(visit: Visit, typed: Typed) -> Sequence[Choice]:
    chosen = typed.profile or visit.user.profile.value
    return [
        Choice(
            one.value,
            visit.words(f"values.{one.value}"),
            one.value == chosen,
            visit.user.transfer_in(one) or "",
        )
        for one in visit.parts.own_settings.rules.profiles
    ]


async def _shown(
    visit: Visit, typed: Typed | None = None, *, form: Form | None = None, error: str = ""
) -> Response:
    user, parts, typed = visit.user, visit.parts, typed or Typed()
    now = parts.clock.now().astimezone(ZoneInfo(user.time_zone))
    texts = await described(visit)
    bad = bool(typed.error or error or (form and form.errors))
    return visit.page(
        "profiles.html",
        visit.words("profiles.title"),
        status=HTTPStatus.UNPROCESSABLE_ENTITY if bad else HTTPStatus.OK,
        active=active_profile(user, parts.own_settings.rules, now, calendar=parts.calendar),
        choices=_choices(visit, typed),
        typed=typed,
        today=now.date(),
        form=form or texts.form(SETTINGS),
        error=error,
    )


PAGES = (Page("profiles", show, change, feature=Feature.PROFILES, menu=20),)
