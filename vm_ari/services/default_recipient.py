"""Who gets what was left at a number that nobody has (CALL-09), if the site named somebody."""

from vm_ari.domain.entries import address_key
from vm_ari.domain.settings import Rules
from vm_ari.domain.users import User
from vm_ari.ports import Directory

NOBODY = "default-recipient"
"""Id of somebody whom the directory does not know."""


class DefaultRecipient:
    """The site names a mail address: that of somebody in the directory, or any other one."""

    def __init__(self, directory: Directory, rules: Rules) -> None:
        self._directory = directory
        self._address = rules.default_recipient
        self._stranger = User(
            id=NOBODY, name="", mailbox="", numbers=(), mail=self._address, language=rules.language
        )
        self._known_as = ""
        """Id of the user who had the address when everybody was looked through."""

    async def user(self) -> User | None:
        """None where the site names nobody. Raises `DirectoryUnavailable`."""
        if not self._address:
            return None
        known = await self._directory.user_by_id(self._known_as) if self._known_as else None
        if known is None or not self._is(known):
            everybody = await self._directory.all_users()
            known = next((one for one in everybody if self._is(one)), None)
            self._known_as = known.id if known else ""
        return known or self._stranger

    def _is(self, user: User) -> bool:
        return address_key(user.mail) == address_key(self._address)
