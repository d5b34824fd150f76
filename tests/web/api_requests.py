"""Requests made up from the published description of the API, sensible ones and others."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from urllib.parse import quote

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from jsonschema import Draft202012Validator

Json = dict[str, Any]
JSON, PROBLEM = "application/json", "application/problem+json"
TEXTS = st.one_of(
    st.text(max_size=30),
    st.text(alphabet="abcäöü0123456789 .-_@/~%+", max_size=40),
    st.sampled_from(
        ["", " ", "\x00", "..", "~", "~Og", "%2e%2e", "' or 1=1 --", "*", "none", "-1"]
    ),
    st.sampled_from(["Ａ", "\u202e", "a" * 201, "9" * 40, "\N{PILE OF POO}", "<b>", "${7*7}"]),
)
PRINTABLE = st.text(alphabet="abcdeäöü 0123456789.-@+", min_size=1, max_size=12)
WHATEVER = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXTS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


@dataclass(frozen=True)
class Call:
    """One request."""

    operation: str
    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Described:
    """The description, and values that mean something here, by the name of a parameter or field."""

    document: Json
    known: Mapping[str, Sequence[str]]
    rarely: frozenset[str] = frozenset()
    """Operations that take long."""
    sound: bytes = b""
    """For those that take one."""

    def calls(self, below: str = "") -> SearchStrategy[Call]:
        """Any request to an address that begins so."""
        often, seldom = list[SearchStrategy[Call]](), list[SearchStrategy[Call]]()
        for method, template, operation in self._all():
            if not template.startswith(below):
                continue
            rare = operation["operationId"] in self.rarely
            (seldom if rare else often).append(self._call(method, template, operation))
        every = [*often * 4, *seldom]
        return st.sampled_from(range(len(every))).flatmap(lambda place: every[place])

    def validator(self, method: str, template: str, status: int, media: str) -> Any:
        """Of an answer; None: it is no JSON. Fails for a status that is not published."""
        operation = self.document["paths"][template][method.lower()]
        found = operation["responses"].get(str(status), operation["responses"]["default"])
        if "$ref" in found:
            found = self._at(found["$ref"])
            assert status >= 400, f"{operation['operationId']}: {status} is not published"
        content = found.get("content", {})
        assert media in content or (not content and not media), (operation["operationId"], media)
        if not media.endswith("json"):
            return None
        return Draft202012Validator({**self.document, **content[media]["schema"]})

    def _all(self) -> list[tuple[str, str, Json]]:
        return [
            (method, template, operation)
            for template, methods in self.document["paths"].items()
            for method, operation in methods.items()
        ]

    def _call(self, method: str, template: str, operation: Json) -> SearchStrategy[Call]:
        given = operation["parameters"]
        parts = {one["name"]: self._part(one["name"]) for one in given if one["in"] == "path"}
        query = st.fixed_dictionaries(
            {},
            optional={one["name"]: self._parameter(one) for one in given if one["in"] == "query"},
        )
        strange = st.dictionaries(TEXTS, TEXTS, min_size=1, max_size=2)
        return st.builds(
            lambda parts, query, body, headers: Call(
                operation["operationId"],
                method.upper(),
                template.format(**{name: quote(text, safe="~") for name, text in parts.items()}),
                query,
                body[0],
                {**headers, **body[1]},
            ),
            st.fixed_dictionaries(parts),
            _mostly(query, strange),
            self._body(operation),
            self._headers(operation),
        )

    def _part(self, name: str) -> SearchStrategy[str]:
        known = st.sampled_from(list(self.known[name]))
        return _mostly(known, TEXTS.filter(lambda text: text not in {"", ".", ".."}))

    def _parameter(self, one: Json) -> SearchStrategy[str]:
        fitting = self.fitting(one["schema"], one["name"]).filter(_is_there).map(_written)
        return _mostly(fitting, TEXTS)

    def _headers(self, operation: Json) -> SearchStrategy[dict[str, str]]:
        tags = st.sampled_from(["*", '"x"', 'W/"x", *', "", "\x7f"])
        choices = {
            "accept-language": st.sampled_from(["de", "*", "xx;q=9"]),
            "range": st.sampled_from(["bytes=0-9", "bytes=-5", "bytes=9-1", "bytes=999999999-"]),
        }
        for one in operation["parameters"]:
            if one["in"] == "header":
                choices[one["name"].lower()] = _mostly(st.just("*"), tags)
        return st.fixed_dictionaries({}, optional=choices)

    def _body(self, operation: Json) -> SearchStrategy[tuple[bytes | None, dict[str, str]]]:
        wanted = operation.get("requestBody")
        if wanted is None:
            return st.sampled_from([(None, {}), (b"{}", {"content-type": JSON})])
        kinds = list(wanted["content"])
        raw = st.binary(max_size=60)
        strange = st.tuples(raw, st.sampled_from([*kinds, "text/html", ""]).map(_typed))
        if JSON not in kinds:
            sound = st.sampled_from(kinds).map(lambda media: (self.sound, _typed(media)))
            return _mostly(sound, strange)
        schema = wanted["content"][JSON]["schema"]
        sensible = _mostly(self.fitting(schema, ""), WHATEVER).map(
            lambda value: (json.dumps(value).encode(), _typed(JSON))
        )
        return _mostly(sensible, strange)

    def fitting(self, schema: Json, name: str) -> SearchStrategy[Any]:
        """Values that fit a schema; of those that a house knows by that *name*, one of them."""
        if "$ref" in schema:
            return self.fitting(self._at(schema["$ref"]), name)
        if "anyOf" in schema:
            return st.one_of([self.fitting(one, name) for one in schema["anyOf"]])
        if "allOf" in schema:
            return self.fitting(schema["allOf"][0], name)
        if "enum" in schema:
            return st.sampled_from(schema["enum"])
        match schema.get("type"):
            case "object":
                return self._object(schema)
            case "array":
                items = self.fitting(schema["items"], name)
                return st.lists(items, max_size=schema.get("maxItems", 4))
            case "string":
                return self._string(schema, name)
            case "integer":
                least, most = schema.get("minimum", -5), schema.get("maximum", 500)
                return st.integers(least, most)
            case "boolean":
                return st.booleans()
            case "null":
                return st.none()
        raise AssertionError(f"no values for {schema}")

    def _object(self, schema: Json) -> SearchStrategy[Any]:
        if schema.get("additionalProperties"):
            keys = st.sampled_from(list(self.known["setting"]))
            inner = self.fitting(schema["additionalProperties"], "value")
            return st.dictionaries(keys, inner, min_size=1, max_size=3)
        needed = set(schema.get("required", ()))
        there = {key: self.fitting(one, key) for key, one in schema["properties"].items()}
        return st.fixed_dictionaries(
            {key: one for key, one in there.items() if key in needed},
            optional={key: one for key, one in there.items() if key not in needed},
        )

    def _string(self, schema: Json, name: str) -> SearchStrategy[str]:
        today = date(2026, 11, 22)
        match schema.get("format"):
            case "date":
                days = st.integers(-400, 3000)
                return days.map(lambda n: (today + timedelta(days=n)).isoformat())
            case "date-time":
                return st.datetimes().map(lambda at: f"{at.isoformat()}Z")
        free = _mostly(PRINTABLE, TEXTS)
        return _mostly(st.sampled_from(self.known[name]), free) if name in self.known else free

    def _at(self, ref: str) -> Json:
        found: Json = self.document
        for step in ref.removeprefix("#/").split("/"):
            found = found[step]
        return found


def _mostly(usual: SearchStrategy[Any], strange: SearchStrategy[Any]) -> SearchStrategy[Any]:
    """Hypothesis takes equal branches of `one_of` for one: so they are numbered."""
    return st.sampled_from(range(8)).flatmap(lambda turn: usual if turn else strange)


def _typed(media: str) -> dict[str, str]:
    return {"content-type": media} if media else {}


def _is_there(value: object) -> bool:
    return value is not None


def _written(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
