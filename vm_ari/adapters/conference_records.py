"""A conference as JSON: in the memory on the disk, and in the database for other processes."""

import json
from datetime import datetime
from typing import Any

from vm_ari.domain.callers import Caller
from vm_ari.domain.conference_settings import Alone, Announcement, Begin, Recorded
from vm_ari.domain.conferences import Conference, Party, Role, RoomRules


class BadConference(ValueError):
    """What we once wrote, or another version of us, cannot be read."""


def conference_to_json(conference: Conference) -> str:
    """Plain ASCII: whatever a caller's name holds can be stored."""
    record = {**vars(conference), "started": conference.started.isoformat()}
    record["rules"] = vars(conference.rules)
    record["parties"] = [_party_record(one) for one in conference.parties]
    return json.dumps(record)


def conference_from_json(text: str | bytes) -> Conference:
    """Raises `BadConference`."""
    try:
        record = json.loads(text)
        parties, rules = record.pop("parties"), record.pop("rules")
        return Conference(
            **record
            | {
                "started": datetime.fromisoformat(record["started"]),
                "names": tuple(record["names"]),
                "rules": _rules(rules),
                "parties": tuple(_party(one) for one in parties),
            }
        )
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise BadConference(f"conference: {error!r}") from error


def _party_record(party: Party) -> dict[str, Any]:
    return {
        **vars(party),
        "joined": party.joined.isoformat(),
        "caller": [party.caller.number, party.caller.name],
    }


def _party(record: dict[str, Any]) -> Party:
    return Party(
        **record
        | {
            "role": Role(record["role"]),
            "joined": datetime.fromisoformat(record["joined"]),
            "caller": Caller(*record["caller"]),
        }
    )


def _rules(record: dict[str, Any]) -> RoomRules:
    return RoomRules(
        **record
        | {
            "announcement": Announcement(record["announcement"]),
            "alone": Alone(record["alone"]),
            "begin": Begin(record["begin"]),
            "recorded": Recorded(record["recorded"]),
        }
    )
