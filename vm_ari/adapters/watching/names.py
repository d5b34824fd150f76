"""By which names mail servers know our users: login, mail address, the site's own rule."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from vm_ari.adapters.imap.access import NoAccess, filled, variables
from vm_ari.domain.messages import Counts
from vm_ari.domain.users import User


class NameBook:
    """`services.watching.Watcher` that hears names instead of ids.

    *own_login* is the template of users' own logins; empty where there is none. A name that several
    users have is the name of all of them: counting one mailbox too many does no harm.
    """

    def __init__(self, changed: Callable[[str], None], own_login: str = "") -> None:
        self._changed = changed
        self._own_login = own_login
        self._ids: Mapping[str, Sequence[str]] = {}

    def meet(self, users: Sequence[User]) -> None:
        """See `Watcher`."""
        ids: dict[str, list[str]] = {}
        for user in users:
            for name in self._names(user):
                ids.setdefault(name, []).append(user.id)
        self._ids = ids

    def counted(self, user: User, counts: Counts) -> None:
        """See `Watcher`."""

    def heard(self, name: str) -> None:
        """A mail server says that the mailbox of that name has changed.

        A name that nobody knows may be the id of a user who is new.
        """
        for user_id in self._ids.get(name.lower(), [name]):
            self._changed(user_id)

    def _names(self, user: User) -> set[str]:
        names = {user.id, user.mail, user.mail.partition("@")[0]}
        if self._own_login:
            with suppress(NoAccess):
                names.add(filled(self._own_login, variables(user)))
        return {name.lower() for name in names if name}
