"""What is wrong with the connection to a directory, and what to do about it (MAIL-07)."""

from collections.abc import Iterator
from dataclasses import replace

from vm_ari.adapters.examination.certificates import advice_on
from vm_ari.adapters.findings import Finding, sentence
from vm_ari.adapters.ldap.directory import LdapDirectory
from vm_ari.adapters.ldap.errors import (
    AccountRefused,
    CannotTrust,
    Conflict,
    LdapError,
    Refused,
    WriteRefused,
)
from vm_ari.adapters.ldap.records import known_numbers
from vm_ari.adapters.ldap.schema_rules import SchemaRules, read_rules
from vm_ari.adapters.ldap.server_pool import ServerPool
from vm_ari.adapters.ldap.session import Entries, Session
from vm_ari.adapters.ldap.wire import Found
from vm_ari.adapters.server_address import Server
from vm_ari.adapters.trust import Security
from vm_ari.domain.directory_text import OneString

_PROBE = "vm_ari_probe=is never there"


_EFFECT = "Until one can, callers are served from the cache, and nobody can log in."
_OUTAGE = Finding(False, "No directory server can be used.", _EFFECT, unreachable=True)


async def examine(directory: LdapDirectory) -> list[Finding]:
    """Ask every server, then look through the eyes of the first that works. Changes nothing."""
    findings, working = [], []
    for pool in directory.servers.pools:
        finding = await _trouble(pool)
        findings.append(finding or _greeting(pool.server))
        if finding is None:
            working.append(pool)
    if not working and len(findings) == 1:
        return [replace(findings[0], unreachable=True)]
    if not working:
        return [*findings, _OUTAGE]
    try:
        findings += await working[0].run(lambda session: list(_contents(session, directory)))
    except LdapError as error:
        findings.append(Finding(False, f"The directory cannot be read: {error}"))
    return findings


async def _trouble(pool: ServerPool) -> Finding | None:
    """What keeps us from using a server."""
    try:
        await pool.try_out()
    except CannotTrust as error:
        return Finding(False, sentence(error), advice_on(str(error), "directory.ldap.ca_file"))
    except AccountRefused as error:
        return Finding(False, sentence(error), "Correct the account's name or its password.")
    except LdapError as error:
        return Finding(False, sentence(error), "Is it running, and is the port right?")
    return None


def _greeting(server: Server) -> Finding:
    if server.security is Security.NONE:
        advice = "Everybody on the way reads along: use ldaps://, or StartTLS."
        return Finding(False, f"{server} answers, but nothing protects the connection.", advice)
    return Finding(True, f"{server} answers over TLS and takes our password.")


def _contents(session: Session, directory: LdapDirectory) -> Iterator[Finding]:
    yield from _schema(read_rules(session), directory)
    try:
        everybody = directory.people.everybody(session)
    except Refused as error:
        yield Finding(False, str(error), "Correct the base or the account's rights.")
        return
    yield from _users(everybody, directory)
    if everybody.found and not directory.settings.local_settings:
        yield _writing(session, everybody.found[0], directory)


def _schema(rules: SchemaRules, directory: LdapDirectory) -> Iterator[Finding]:
    mapping = directory.settings.mapping
    for attribute in sorted(directory.people.queries.compared()):
        if not rules.knows(attribute):
            text = f"The server does not know the attribute {attribute}: it finds nobody."
            yield Finding(False, text, "Load its schema, or take it out of the filter.")
        elif not rules.can_compare(attribute):
            text = f"The server cannot compare {attribute}: a search for it finds nobody."
            yield Finding(False, text, "Use another attribute, such as telephoneNumber.")
    one = isinstance(mapping.form, OneString)
    if not rules.knows(mapping.settings):
        text = f"The server does not know the attribute {mapping.settings} for settings."
        yield Finding(False, text, "Load its schema (schema/vm-ari.schema), or use another one.")
    elif not one and rules.is_single(mapping.settings):
        text = f"{mapping.settings} takes one value only."
        yield Finding(False, text, "Keep the settings in one string, or use another attribute.")
    elif one and rules.is_single(mapping.settings) is False:
        text = f"{mapping.settings} takes many values, so one string is not the safest form."
        yield Finding(False, text, "Keep each setting in a value of its own.")


def _users(everybody: Entries, directory: LdapDirectory) -> Iterator[Finding]:
    count, mapping = len(everybody.found), directory.settings.mapping
    if not everybody.complete:
        text = f"The server gives {count} users only, and keeps back the others."
        yield Finding(False, text, "Raise the size limit of our account there.")
    if not count:
        advice = "Look at the bases, the filter for users, and what our account may see."
        yield Finding(False, "There are no users.", advice)
        return
    site = directory.people.queries.site
    having = sum(bool(known_numbers(found, mapping, site)) for found in everybody.found)
    advice = "" if having else "Look at the attributes for numbers, and at the site's numbers."
    yield Finding(having > 0, f"{count} users, {having} of them with a number.", advice)


def _writing(session: Session, somebody: Found, directory: LdapDirectory) -> Finding:
    """Try to remove a value that nobody has: the server checks our rights first."""
    attribute = directory.settings.mapping.settings
    try:
        session.modify(somebody.dn, {attribute: [("MODIFY_DELETE", [_PROBE])]})
    except Conflict:
        return Finding(True, f"Settings can be written to {attribute}.")
    except WriteRefused:
        advice = "Give our account that right, or keep settings locally (local_settings)."
        return Finding(False, f"We may not write {attribute}.", advice)
    except LdapError as error:
        return Finding(False, f"Settings cannot be written to {attribute}: {error}")
    return Finding(False, f"{attribute} is not what it should be: a removal of nothing succeeded.")
