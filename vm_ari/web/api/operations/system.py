"""What the installation is made of, and whether its connections are well (WEB-02)."""

import asyncio
import platform
from datetime import datetime

import structlog
from pydantic import Field

from vm_ari.domain.portal_rights import Role
from vm_ari.web.admin_parts import admin_parts
from vm_ari.web.api.models import Told
from vm_ari.web.api.operation import Answer, Ask, Operation
from vm_ari.web.api.problems import Problem
from vm_ari.web.page import Scope
from vm_ari.web.pages.system import LONGEST_WAIT

log = structlog.get_logger("vm_ari.portal")


class SoftwareTold(Told):
    """A program of which this one is made."""

    name: str
    version: str
    licence: str


class SystemTold(Told):
    """This installation."""

    since: datetime = Field(description="When the portal was started.")
    python: str
    machine: str
    software: list[SoftwareTold]


class FindingTold(Told):
    """What an examination has found."""

    good: bool
    part: str
    text: str
    advice: str


class Examined(Told):
    """As “vm-ari check” does."""

    good: bool = Field(description="Is all well?")
    findings: list[FindingTold]


async def show(ask: Ask) -> Answer:
    """Versions and licences."""
    parts = admin_parts(ask.visit)
    found = await asyncio.to_thread(parts.software)
    return SystemTold(
        since=parts.started,
        python=platform.python_version(),
        machine=f"{platform.system()} {platform.release()} {platform.machine()}",
        software=[
            SoftwareTold(name=one.name, version=one.version, licence=one.licence) for one in found
        ],
    )


async def examine(ask: Ask) -> Answer:
    """Nothing is changed. One at a time."""
    parts = admin_parts(ask.visit)
    if parts.examining.locked():
        raise Problem("busy", ask.visit.words("system.busy"))
    async with parts.examining:
        try:
            found = await parts.examine()
        except Exception as error:
            log.exception("not examined")
            text = f"{ask.visit.words('system.broken')} {type(error).__name__}"
            raise Problem("away", text) from None
    return Examined(
        good=all(one.good for one in found),
        findings=[
            FindingTold(good=one.good, part=one.part, text=one.text, advice=one.advice)
            for one in found
        ],
    )


OPERATIONS = (
    Operation(
        "showSystem",
        "GET",
        "system",
        show,
        "Versions and licences",
        SystemTold,
        role=Role.OPERATOR,
        scope=Scope.HOUSE,
    ),
    Operation(
        "examineSystem",
        "POST",
        "system/examination",
        examine,
        "Look at every connection, as “vm-ari check” does",
        Examined,
        role=Role.OPERATOR,
        scope=Scope.HOUSE,
        patience=LONGEST_WAIT,
    ),
)
