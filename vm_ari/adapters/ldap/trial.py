"""One look-up on every server, with its times: what ``vm-ari test ldap`` shows."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

from vm_ari.adapters.ldap.directory import LdapDirectory
from vm_ari.adapters.ldap.errors import LdapError
from vm_ari.adapters.ldap.mapping import MAILBOX, Queries
from vm_ari.adapters.ldap.records import numbers_in, stored_texts, user_id
from vm_ari.adapters.ldap.session import Session
from vm_ari.adapters.ldap.wire import Found
from vm_ari.domain.numbers import extension_of, normalise

_NOBODY = "0"
"""Nobody's number, for the time of a search."""


@dataclass(frozen=True)
class Trial:
    """What one server did; times in seconds."""

    server: str
    connect: float = 0.0
    """With TLS."""
    bind: float = 0.0
    search: float = 0.0
    users: tuple[str, ...] = ()
    """Ids of those who have the number; two of them are nobody to callers."""
    found_by: tuple[str, ...] = ()
    """The attributes in which it stands."""
    problem: str = ""
    """Why it could not be asked."""


async def try_servers(directory: LdapDirectory, number: str = "") -> list[Trial]:
    """Each server in turn, by a new connection; *number* is E.164 or an extension."""
    return [await _try(directory, place, number) for place in range(len(directory.servers.pools))]


async def _try(directory: LdapDirectory, place: int, number: str) -> Trial:
    pool = directory.servers.pools[place]
    try:
        return await pool.run(
            lambda session: _look_up(session, directory, str(pool.server), number)
        )
    except LdapError as error:
        return Trial(str(pool.server), problem=str(error))


def _look_up(session: Session, directory: LdapDirectory, server: str, number: str) -> Trial:
    began = time.monotonic()
    found = directory.people.with_number(session, number or _NOBODY)
    searched = time.monotonic() - began
    return Trial(
        server,
        session.opened.connect,
        session.opened.bind,
        searched,
        tuple(user_id(each, directory.people.queries.mapping) for each in found),
        tuple(_places(found[0], directory.people.queries, number)) if found else (),
    )


def _places(found: Found, queries: Queries, number: str) -> Iterator[str]:
    """The attributes of an entry that hold the number in any spelling."""
    mapping, site = queries.mapping, queries.site
    for source in mapping.numbers:
        if number in numbers_in(found, source, site):
            yield source.attribute
    short = extension_of(number, site)
    own = {number, short, normalise(number, site)}
    if mapping.mailbox and found.text(mapping.mailbox) in own:
        yield mapping.mailbox
    if not mapping.mailbox and stored_texts(found, mapping).get(MAILBOX) in own:
        yield f"{mapping.settings} ({MAILBOX}=)"
