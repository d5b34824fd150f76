"""The description of the API (OpenAPI 3.1), made from the operations and their models."""

import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import version
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from vm_ari.domain.portal_rights import Role
from vm_ari.web.api.operation import PREFIX, Operation
from vm_ari.web.api.operations import all_operations
from vm_ari.web.api.problems import CODES, MEDIA_TYPE, ProblemTold
from vm_ari.web.page import Scope

Json = dict[str, Any]
_REF = "#/components/schemas/{model}"
_PROBLEM = "#/components/responses/Problem"
GROUPS = ("oneself", "administration", "a user, for administrators")
"""The headings."""
_PARTS = {
    "user": "Id of a user; one with other characters than letters, digits and ._@+- is written as "
    "“~” and its base64url without padding.",
    "uid": "The *id* of a message, as lists have it.",
    "entry": "The *id* of an entry, as lists have it.",
    "slot": "A profile, or name for the spoken name.",
    "language": "Such as de.",
    "key": "The *key* of a thing that waits.",
    "conference": "The *id* of a conference, as lists have it.",
    "fax": "The *id* of a fax, as lists have it.",
    "spoken": "The *id* of a spoken message, as lists have it.",
}
"""What stands between braces in addresses."""
_ABOUT = (
    "Voicemail for programs: what users and administrators do in the portal, with the same rights. "
    "Tokens are made by their owners in the portal or by “vm-ari api-token create”."
)


@cache
def description() -> str:
    """As it is published."""
    return json.dumps(document(), ensure_ascii=False, indent=1)


@cache
def document() -> Json:
    """As Python has it; nobody changes it."""
    operations = all_operations()
    models: list[tuple[type[BaseModel], Any]] = [(ProblemTold, "serialization")]
    models += [(one.takes, "validation") for one in operations if one.takes]
    models += [(one.answer, "serialization") for one in operations if one.answer]
    models += [(one.asks, "validation") for one in operations if one.asks]
    refs, schemas = models_json_schema(list(dict.fromkeys(models)), ref_template=_REF)
    return {
        "openapi": "3.1.0",
        "info": {"title": "vm_ari", "version": version("vm-ari"), "description": _ABOUT},
        "servers": [{"url": PREFIX}],
        "security": [{"token": []}],
        "paths": _paths(operations, refs, schemas["$defs"]),
        "components": {
            "schemas": schemas["$defs"],
            "responses": {"Problem": _problem(refs)},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _paths(operations: Sequence[Operation], refs: Mapping[Any, Json], schemas: Json) -> Json:
    found: dict[str, Json] = {}
    for one in operations:
        for address, acting in one.addresses:
            found.setdefault(address, {})[one.method.lower()] = _operation(
                one, address, acting, refs, schemas
            )
    return dict(sorted(found.items()))


def _operation(
    one: Operation, address: str, acting: bool, refs: Mapping[Any, Json], schemas: Json
) -> Json:
    name = f"{one.name}Of" if acting and one.role is Role.USER else one.name
    described: Json = {
        "operationId": name,
        "summary": one.says,
        "tags": [_tag(one, acting)],
        "parameters": [*_address_parts(address), *_query(one, refs, schemas), *_headers(one)],
        "responses": _responses(one, refs),
    }
    described["description"] = " ".join(filter(None, (one.about, _who(one, acting))))
    if one.takes:
        content = {"application/json": {"schema": refs[one.takes, "validation"]}}
        described["requestBody"] = {"required": True, "content": content}
    elif one.sends:
        raw = {media: {"schema": {"type": "string", "format": "binary"}} for media in one.sends}
        described["requestBody"] = {"required": True, "content": raw}
    return described


def _tag(one: Operation, acting: bool) -> str:
    own, house, others = GROUPS
    if one.scope is Scope.HOUSE:
        return house
    return others if acting else own


def _who(one: Operation, acting: bool) -> str:
    match max(one.role, Role.ADMINISTRATOR) if acting else one.role:
        case Role.OPERATOR:
            return "For operators."
        case Role.ADMINISTRATOR:
            return "For administrators and operators, of users for whom they may act."
        case _:
            return "The site may reserve this for administrators." if one.feature else ""


def _address_parts(address: str) -> list[Json]:
    names: list[str] = re.findall(r"\{(\w+)\}", address)
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "description": _PARTS[name],
            "schema": {"type": "string"},
        }
        for name in names
    ]


def _query(one: Operation, refs: Mapping[Any, Json], schemas: Json) -> list[Json]:
    if one.asks is None:
        return []
    schema = schemas[refs[one.asks, "validation"]["$ref"].rpartition("/")[2]]
    return [
        {
            "name": name,
            "in": "query",
            "required": name in schema.get("required", ()),
            "description": wanted.get("description", ""),
            "schema": wanted,
        }
        for name, wanted in schema["properties"].items()
    ]


def _headers(one: Operation) -> list[Json]:
    if one.state is None:
        return []
    name = "If-Match" if one.changes else "If-None-Match"
    schema = {"type": "string"}
    return [{"name": name, "in": "header", "required": one.needs_match, "schema": schema}]


def _responses(one: Operation, refs: Mapping[Any, Json]) -> Json:
    done: Json = {"description": one.says}
    if one.answer:
        done["content"] = {"application/json": {"schema": refs[one.answer, "serialization"]}}
    elif one.media:
        done["content"] = {one.media: {"schema": {"type": "string", "format": "binary"}}}
    if one.state and one.answer:
        done["headers"] = {"ETag": {"schema": {"type": "string"}}}
    found: Json = {str(one.status): done}
    if one.media:
        found["206"] = {**done, "description": "The part that Range asks for."}
        found["416"] = {"description": "Range asks for a part that is not there."}
    if one.state and not one.changes:
        found["304"] = {"description": "As If-None-Match has it."}
    return {**found, "default": {"$ref": _PROBLEM}}


def _problem(refs: Mapping[Any, Json]) -> Json:
    kinds = ", ".join(f"{code} ({status.value})" for code, (status, _) in CODES.items())
    return {
        "description": f"It was not done. Codes: {kinds}.",
        "content": {MEDIA_TYPE: {"schema": refs[ProblemTold, "serialization"]}},
    }
