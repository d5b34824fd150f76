"""Does a server's schema take what we store? By looking, and if asked to, by writing (DIR-01)."""

import secrets
from collections.abc import Iterator, Sequence

from vm_ari.adapters.findings import Finding
from vm_ari.adapters.ldap.directory import LdapDirectory
from vm_ari.adapters.ldap.errors import Conflict, LdapError, Unfit, WriteRefused
from vm_ari.adapters.ldap.mapping import Mapping
from vm_ari.adapters.ldap.schema_rules import SchemaRules, read_rules
from vm_ari.adapters.ldap.session import Change, Session
from vm_ari.adapters.ldap.settings_store import class_needed
from vm_ari.adapters.ldap.wire import Found
from vm_ari.domain.directory_text import Change as TextChange
from vm_ari.domain.directory_text import OneString, Unstorable

PROBE = "vm_ari_probe"
SMALLEST = 160
"""Characters; a sealed PIN needs 70, a sealed password up to 150."""


async def examine_schema(
    directory: LdapDirectory, *, write: bool = False, user_id: str = ""
) -> list[Finding]:
    """What the first server that works says; *write* also writes a value, and removes it again.

    It is written to the entry of *user_id*, or of the first user there is. Raises `LdapError`.
    """
    return await directory.servers.do(
        lambda session: list(_findings(session, directory, user_id if write else None)),
        seconds=60.0,
    )


def _findings(session: Session, directory: LdapDirectory, user_id: str | None) -> Iterator[Finding]:
    mapping, rules = directory.settings.mapping, read_rules(session)
    if not rules.attributes:
        text = "The server shows no schema, so sizes and rules of comparison are not known."
        yield Finding(False, text, "Let our account read the subschema entry.")
    searched = directory.people.queries.compared()
    for attribute in mapping.attributes():
        if attribute != "objectClass":
            yield _attribute(attribute, rules, needed=attribute in searched)
    yield from _settings(mapping, rules)
    for name in filter(None, {mapping.own_class, *mapping.new_classes}):
        if not rules.knows_class(name):
            text = f"The server does not know the object class {name}."
            yield Finding(False, text, "Load its schema (vm-ari schema openldap).")
    if user_id is not None:
        yield _written(session, directory, user_id)


def _attribute(attribute: str, rules: SchemaRules, *, needed: bool) -> Finding:
    if not rules.knows(attribute):
        advice = "Load its schema (vm-ari schema openldap), or name another attribute."
        return Finding(False, f"{attribute}: the server does not know it.", advice)
    comparable = rules.can_compare(attribute)
    size, single = rules.size(attribute), rules.is_single(attribute)
    facts = [f"{size} characters"] if size else []
    facts += [] if single is None else ["one value" if single else "many values"]
    facts.append("can be compared" if comparable else "cannot be compared")
    text = f"{attribute}: {', '.join(facts)}."
    if needed and not comparable:
        return Finding(False, text, "A search for it finds nobody: use another attribute.")
    return Finding(True, text)


def _settings(mapping: Mapping, rules: SchemaRules) -> Iterator[Finding]:
    """What an attribute of settings must be able to do beyond being there."""
    name, form = mapping.settings, mapping.form
    one, size = isinstance(form, OneString), rules.size(mapping.settings)
    if not rules.can_compare(name):
        text = f"{name}: a value cannot be compared, so it cannot be changed without risk."
        yield Finding(False, text, "Use an attribute with a rule of equality.")
    if not one and rules.is_single(name):
        advice = "Set attributes.form to one-string, or use another attribute."
        yield Finding(False, f"{name} takes one value only, and each setting needs one.", advice)
    limit = getattr(form, "limit", None)
    if size and limit and limit > size:
        text = f"{name} takes {size} characters, and up to {limit} would be written."
        yield Finding(False, text, f"Set attributes.limit to {size}.")
    if size and size < SMALLEST:
        text = f"{name} takes {size} characters; a sealed password needs {SMALLEST}."
        yield Finding(False, text, "Use a larger attribute.")


def _written(session: Session, directory: LdapDirectory, user_id: str) -> Finding:
    """Write a value as long as a sealed secret, and take it away again."""
    mapping, name = directory.settings.mapping, directory.settings.mapping.settings
    found = _somebody(session, directory, user_id)
    if found is None:
        return Finding(False, "There is no user to write to.", "Name one with --user.")
    try:
        change = mapping.form.change(found.texts(name), {PROBE: secrets.token_hex(SMALLEST // 4)})
        needed = class_needed(found, mapping.own_class)
        session.modify(found.dn, {**needed, name: _operations(change)})
    except WriteRefused:
        advice = "Give our account that right, or keep settings locally (local_settings)."
        return Finding(False, f"We may not write {name} of {found.dn}.", advice)
    except (Unstorable, Unfit) as error:
        advice = "Use another attribute, or set attributes.form and attributes.limit."
        return Finding(False, f"{name} of {found.dn} does not take a setting: {error}", advice)
    except LdapError as error:
        return Finding(False, f"{name} of {found.dn} cannot be written: {error}")
    return _removed(session, mapping, found, change, added_class=bool(needed))


def _removed(
    session: Session, mapping: Mapping, found: Found, change: TextChange, *, added_class: bool
) -> Finding:
    """Everything as before: by the opposite change, or where others have changed it, as it is."""
    back = _operations(TextChange(delete=change.add, add=change.delete))
    try:
        try:
            session.modify(found.dn, {mapping.settings: back})
        except Conflict:
            there = session.read(found.dn, [mapping.settings])
            values = there.texts(mapping.settings) if there else []
            again = _operations(mapping.form.change(values, {PROBE: None}))
            session.modify(found.dn, {mapping.settings: again})
        if added_class:
            removal: list[Change] = [("MODIFY_DELETE", [mapping.own_class])]
            session.modify(found.dn, {"objectClass": removal})
    except LdapError as error:
        text = f"A probe was written to {found.dn}, and not all of it is removed again: {error}"
        return Finding(False, text, f"Remove {PROBE} from {mapping.settings} there.")
    text = f"A setting was written to {mapping.settings} of {found.dn}, and removed again."
    return Finding(True, text)


def _operations(change: TextChange) -> list[Change]:
    operations: Sequence[Change] = (
        ("MODIFY_DELETE", sorted(change.delete)),
        ("MODIFY_ADD", sorted(change.add)),
    )
    return [operation for operation in operations if operation[1]]


def _somebody(session: Session, directory: LdapDirectory, user_id: str) -> Found | None:
    if user_id:
        return directory.people.by_id(session, user_id)
    return next(iter(directory.people.everybody(session).found), None)
