"""What the configuration says of the site: sites, dialling rules, defaults, organisations (WEB-02).

It is shown and not changed here: the file is the truth, and every node has the same one.
"""

from dataclasses import dataclass, replace
from datetime import date

from starlette.responses import Response

from vm_ari.domain.entries import Entry
from vm_ari.domain.portal_rights import Role
from vm_ari.domain.preferences import SETTINGS
from vm_ari.web.page import Page, Scope
from vm_ari.web.settings_page import described
from vm_ari.web.visit import Visit


@dataclass(frozen=True)
class OrganisationRow:
    """One organisation, as far as the configuration knows it."""

    id: str
    name: str
    administrators: str
    agreement: date | None
    settings: str


async def show(visit: Visit) -> Response:
    """Everything at a glance."""
    own, defaults = visit.parts.own_settings, visit.parts.users.house.defaults
    bare = replace(visit, owned=(Entry("", ""), visit.me.user))
    form = (await described(bare)).form(SETTINGS.values())
    return visit.page(
        "site.html",
        visit.words("site.title"),
        sites=own.rules.sites,
        rules=[str(rule) for rule in own.dialling.rules],
        kinds=sorted(kind.value for kind in own.dialling.kinds),
        fields=sorted(form.fields, key=lambda one: one.key not in defaults),
        set_by_site=frozenset(defaults),
        organisations=await _organisations(visit),
    )


async def _organisations(visit: Visit) -> list[OrganisationRow]:
    rights = visit.parts.rights
    return [
        OrganisationRow(
            one.id,
            one.name or one.id,
            ", ".join(sorted(rights.administrators.get(one.id, ()))),
            rights.agreements.get(one.id),
            ", ".join(f"{key} = {text}" for key, text in sorted(one.settings.items())),
        )
        for one in await visit.parts.users.register.organisations()
    ]


PAGES = (Page("site", show, role=Role.OPERATOR, scope=Scope.HOUSE, menu=20),)
