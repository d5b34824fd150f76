"""What a server's schema says about attributes: can they be searched, do they take many values?

A filter on an attribute without a rule of comparison is never true, and no server says so: in
OpenLDAP's standard schema that is the case for ``facsimileTelephoneNumber``.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from vm_ari.adapters.ldap.session import Session

_NAMES = re.compile(r"NAME\s+(?:'([^']+)'|\(([^)]*)\))")
_QUOTED = re.compile("'([^']+)'")
_SIZE = re.compile(r"\bSYNTAX\s+'?[\w.]+'?\{(\d+)\}")
_SUPERIOR = re.compile(r"\bSUP\s+([\w.;-]+)")


@dataclass(frozen=True)
class AttributeRule:
    """The definition of an attribute (RFC 4512 section 4.1.2)."""

    single: bool
    equality: bool
    superior: str = ""
    """The attribute whose rules it has, too; in lower case."""
    size: int | None = None
    """Characters that a value should be able to have; None: the schema does not say."""


@dataclass(frozen=True)
class SchemaRules:
    """All definitions that a server shows."""

    attributes: dict[str, AttributeRule] = field(default_factory=dict)
    """By each name in lower case."""
    classes: frozenset[str] = frozenset()
    """Names of object classes in lower case."""

    def knows(self, attribute: str) -> bool:
        """Is it defined? Without a schema to look at, everything is."""
        return not self.attributes or attribute.lower() in self.attributes

    def can_compare(self, attribute: str) -> bool:
        """Can it be searched for a value? Active Directory shows no rules, and compares all."""
        if not any(rule.equality for rule in self.attributes.values()):
            return True
        rule = self.attributes.get(attribute.lower())
        while rule is not None and not rule.equality and rule.superior:
            rule = self.attributes.get(rule.superior)
        return rule is None or rule.equality

    def size(self, attribute: str) -> int | None:
        """Characters that a value can have; None where that cannot be known."""
        rule = self.attributes.get(attribute.lower())
        return rule.size if rule else None

    def knows_class(self, name: str) -> bool:
        """Is the object class defined? Without a schema to look at, every one is."""
        return not self.classes or name.lower() in self.classes

    def is_single(self, attribute: str) -> bool | None:
        """Does it take one value only? None where that cannot be known."""
        rule = self.attributes.get(attribute.lower())
        return rule.single if rule else None


def read_rules(session: Session) -> SchemaRules:
    """What the server shows; nothing where it shows no schema. Raises `LdapError`."""
    root = session.read("", ["subschemaSubentry"])
    where = root.text("subschemaSubentry") if root else ""
    schema = session.read(where, ["attributeTypes", "objectClasses"]) if where else None
    if schema is None:
        return SchemaRules()
    return parsed(schema.texts("attributeTypes"), schema.texts("objectClasses"))


def parsed(definitions: Iterable[str], classes: Iterable[str] = ()) -> SchemaRules:
    """From definitions of attributes and object classes as servers write them."""
    rules: dict[str, AttributeRule] = {}
    for definition in definitions:
        superior = _SUPERIOR.search(definition)
        rule = AttributeRule(
            single="SINGLE-VALUE" in definition,
            equality=" EQUALITY " in definition,
            superior=superior[1].lower() if superior else "",
            size=int(size[1]) if (size := _SIZE.search(definition)) else None,
        )
        rules |= dict.fromkeys(_names(definition), rule)
    known = frozenset(name for definition in classes for name in _names(definition))
    return SchemaRules(rules, known)


def _names(definition: str) -> list[str]:
    found = _NAMES.search(definition)
    if found is None:
        return []
    return [name.lower() for name in ([found[1]] if found[1] else _QUOTED.findall(found[2]))]
