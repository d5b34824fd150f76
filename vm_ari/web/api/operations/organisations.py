"""Organisations whose users one may see: packages used and total (UM-01, UM-02)."""

from datetime import date

from pydantic import Field

from vm_ari.domain.portal_rights import Role
from vm_ari.web.api.models import Told
from vm_ari.web.api.operation import Answer, Ask, Operation
from vm_ari.web.page import Scope
from vm_ari.web.pages.users import packages


class OrganisationTold(Told):
    """One of them."""

    id: str = Field(description="Empty: users who belong to none.")
    name: str
    used: int = Field(description="Packages: one is one user.")
    total: int = Field(description="0: no limit.")
    agreement: date | None = Field(description="Since when data processing is agreed on.")


class OrganisationList(Told):
    """All that one may see."""

    organisations: list[OrganisationTold]


async def listed(ask: Ask) -> Answer:
    """By id."""
    agreements = ask.visit.parts.rights.agreements
    return OrganisationList(
        organisations=[
            OrganisationTold(
                id=one.id,
                name=one.name,
                used=one.used,
                total=one.total,
                agreement=agreements.get(one.id),
            )
            for one in await packages(ask.visit)
        ]
    )


OPERATIONS = (
    Operation(
        "listOrganisations",
        "GET",
        "organisations",
        listed,
        "Organisations, with used and total packages",
        OrganisationList,
        role=Role.ADMINISTRATOR,
        scope=Scope.HOUSE,
    ),
)
