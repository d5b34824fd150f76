"""Calls: what is recorded, offered and dialled."""

import re

from pydantic import Field, field_validator

from vm_ari.config.directory import Table as _Table
from vm_ari.domain.preferences import OPERATOR
from vm_ari.domain.settings import Deletion, Hideable, InformationOrder
from vm_ari.domain.transfer import Waiting


class CallSettings(_Table):
    """Recording and menus."""

    longest_seconds: int = Field(default=180, ge=5, le=3600)
    silence_seconds: int = Field(default=8, ge=2, le=60)
    shortest_seconds: float = Field(default=2.0, ge=0, le=60)
    warning_seconds: int = Field(default=10, ge=0, le=60)
    """A beep so long before the longest message ends; 0: none."""
    transmit_silence: bool = True
    """Are callers sent silence while they leave a message? Without it a call costs Asterisk a third
    less CPU, nobody can be warned before the longest message ends, and some trunks hang up."""
    review: bool = True
    options_after_message: bool = True
    information_order: InformationOrder = InformationOrder.DATE_SENDER_CONTENT
    """What is heard of a message first: ``date-sender-content``, ``content-date-sender`` or
    ``date-content-sender``."""
    delete: Deletion = Deletion.FOLDER
    """A message that is deleted by telephone goes into the ``folder`` of deleted ones, or is
    removed ``for good`` at the end of the call."""
    key_map: str = "default"
    """Name of a shipped one (``vm-ari keymap list``), or path of your own file."""
    operator_key: bool = False
    """Does a key lead from the greeting to the operator?"""
    operator: str = ""
    """Number of the operator; users may have their own."""

    @field_validator("operator")
    @classmethod
    def _dialable(cls, number: str) -> str:
        return OPERATOR.format(OPERATOR.parse(number)) if number else ""


class MenuSettings(_Table):
    """What users are offered by telephone."""

    hidden: tuple[Hideable, ...] = ()
    """Neither spoken nor accepted: ``hidden = ["transfer", "delete-all-greetings"]``."""


class DiallingSettings(_Table):
    """Which numbers transfers, callbacks and recording calls may reach."""

    rules: tuple[str, ...] = ()
    """Such as ``deny +49900`` or ``allow AT``; the first that matches decides."""
    endpoint: str = Field(
        default="Local/{number}@vm-ari-out/n", pattern=r"^[^{}]*\{number\}[^{}]*$"
    )
    """How Asterisk dials a number: by the context of our dialplan, or ``PJSIP/{number}@trunk``."""

    locations: dict[str, str] = Field(default_factory=dict)
    """Other endpoints, by location: ``berlin = "PJSIP/{number}@berlin"``; which one a user is at
    says ``notifications.location_attribute``."""

    @field_validator("locations")
    @classmethod
    def _ways(cls, given: dict[str, str]) -> dict[str, str]:
        for name, endpoint in given.items():
            if not re.fullmatch(r"[^{}]*\{number\}[^{}]*", endpoint):
                raise ValueError(f"“{name}”: write an endpoint such as PJSIP/{{number}}@trunk")
            cls._stays(endpoint)
        return given

    @field_validator("endpoint")
    @classmethod
    def _stays(cls, text: str) -> str:
        """Asterisk would put another channel in place of the one that we know."""
        if text.lower().startswith("local/") and not text.endswith("/n"):
            raise ValueError(f"“{text}”: a Local channel needs /n at its end: {text}/n")
        return text


class TransferSettings(_Table):
    """How callers are connected with somebody else."""

    hears: Waiting = Waiting.RINGING
    """Until somebody answers: ``ringing`` or ``music`` (Asterisk's class of music on hold)."""
    may_give_up: bool = True
    """The key ``*`` brings a waiting caller back."""
    leaves_server: bool = False
    """Hand a finished transfer over to the caller's telephone system (SIP REFER)."""
