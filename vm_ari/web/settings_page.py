"""Pages that are a form of settings: shown with their origins, judged, stored all or none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any

import structlog
from starlette.responses import Response

from vm_ari.domain.dialling import Denied, Why, may_dial
from vm_ari.domain.directory_text import Unstorable
from vm_ari.domain.portal_rights import Feature
from vm_ari.domain.preferences import (
    BREAK_PROFILE,
    FAX_SENDER,
    LANGUAGE,
    OFF_HOURS_PROFILE,
    OPERATOR,
    PROFILE_AFTER,
    TRANSFERS,
    BadSetting,
    Setting,
)
from vm_ari.domain.setting_forms import NONE
from vm_ari.ports import UnknownUser
from vm_ari.services.own_settings import NumberRefused
from vm_ari.web.fields import Described, Form
from vm_ari.web.page import Page
from vm_ari.web.rights_words import refused_words
from vm_ari.web.visit import Visit

log = structlog.get_logger("vm_ari.portal")


@dataclass(frozen=True)
class SettingsPage:
    """Settings that are on one page together; its words are those of its path."""

    path: str
    settings: Sequence[Setting[Any]]
    feature: Feature
    menu: int
    template: str = "settings.html"

    def page(self) -> Page:
        """To be put into ``PAGES``."""
        return Page(self.path, self.show, self.change, feature=self.feature, menu=self.menu)

    async def show(self, visit: Visit) -> Response:
        """As everything is now."""
        return self._shown(visit, (await described(visit)).form(self.settings))

    async def change(self, visit: Visit) -> Response:
        """Store what was sent, or show it again with what is wrong."""
        form = (await described(visit)).typed(self.settings, sent(visit))
        if form.errors:
            return self._shown(visit, form)
        if error := await store(visit, form.changes):
            return self._shown(visit, form, error)
        return await visit.done(f"{self.path}.saved", self.path)

    def _shown(self, visit: Visit, form: Form, error: str = "") -> Response:
        status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors or error else HTTPStatus.OK
        title = visit.words(f"{self.path}.title")
        return visit.page(self.template, title, status=status, form=form, error=error)


async def described(visit: Visit) -> Described:
    """The owner's settings, in the language of the visit, with what the site allows."""
    layers = await visit.parts.users.layers(visit.owner)
    rules = visit.parts.own_settings.rules
    offered = [profile.value for profile in rules.profiles]
    dials = {one.key: partial(_destination, visit) for one in TRANSFERS.values()}
    return Described(
        visit.words,
        layers,
        choices={
            LANGUAGE.key: visit.parts.languages,
            PROFILE_AFTER.key: offered,
            OFF_HOURS_PROFILE.key: [*offered, NONE],
            BREAK_PROFILE.key: [*offered, NONE],
            FAX_SENDER.key: [*(visit.user.sender_numbers or visit.owner.numbers), NONE],
        },
        checks={**dials, OPERATOR.key: partial(_destination, visit)},
    )


def sent(visit: Visit) -> Mapping[str, str]:
    """What the form has sent, by field; several values of one field as one text."""
    texts: dict[str, list[str]] = {}
    for key, value in visit.form.multi_items():
        if isinstance(value, str):
            texts.setdefault(key, []).append(value)
    return {key: ", ".join(filter(None, values)) for key, values in texts.items()}


async def store(visit: Visit, changes: Mapping[str, str | None]) -> str:
    """Make the changes, durably; says why not, or nothing. Raises `DirectoryUnavailable`."""
    if not changes:
        return ""
    try:
        await visit.parts.directory.change_settings(visit.owner.id, changes)
    except (UnknownUser, Unstorable, BadSetting) as error:
        log.warning("settings not stored", user=visit.owner.id, reason=str(error))
        return visit.words("forms.not-stored")
    log.info("settings changed", user=visit.owner.id, by=visit.me.entry.id, keys=sorted(changes))
    return ""


def _destination(visit: Visit, text: str) -> str:
    """A number to which callers may be connected. Raises ValueError, for the user."""
    if text == NONE:
        return text
    own, words = visit.parts.own_settings, visit.words
    match may_dial(text, own.dialling, own.rules.sites):
        case Denied() as denied:
            rule = f" ({denied.rule})" if denied.why is Why.RULE else ""
            raise ValueError(words(f"dialling.{denied.why.name.lower()}", number=text[:60]) + rule)
    try:
        return own.destination(visit.user, text)
    except NumberRefused as error:
        if error.refused:
            raise ValueError(refused_words(words, error.refused)) from None
        raise ValueError(words("dialling.own_number", number=text[:60])) from None
