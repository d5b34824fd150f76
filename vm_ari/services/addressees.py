"""Who gets what was left, said, faxed or sent: asked for each attempt, for people come and go."""

from vm_ari.domain.callers import tail
from vm_ari.domain.messages import CallFacts
from vm_ari.domain.numbers import normalise
from vm_ari.domain.sending import Colleague, Sending
from vm_ari.domain.settings import Rules
from vm_ari.domain.users import User
from vm_ari.ports import DeliveryPostponed, DeliveryRefused, Directory
from vm_ari.services.default_recipient import DefaultRecipient


class Addressees:
    """Finds them in the directory."""

    def __init__(self, directory: Directory, rules: Rules) -> None:
        self._directory = directory
        self._rules = rules
        self._default_recipient = DefaultRecipient(directory, rules)

    async def of(self, facts: CallFacts) -> User:
        """The user; for what leaves the house whoever sends it.

        Raises `DirectoryUnavailable`, `DeliveryPostponed` while it is nobody, `DeliveryRefused`
        where nobody will get it any more.
        """
        if facts.sending is not None:
            return await self._party(facts, facts.sending)
        owner = await self._directory.user_by_id(facts.user_id) if facts.user_id else None
        if owner is None:
            number = normalise(facts.called, self._rules.site) or facts.called
            owner = await self._directory.user_by_number(number)
        if owner is None or not (owner.voice_mail_enabled or facts.conference or facts.fax):
            owner = await self._default_recipient.user() or owner
        if owner is None:
            raise DeliveryPostponed(
                f"nobody has the number {tail(facts.called)}, and there is no default recipient"
            )
        return owner

    async def _party(self, facts: CallFacts, sending: Sending) -> User:
        """Who gets it, or who sends it where that is nobody of ours."""
        if sending.is_whole:
            return User(sending.sender, facts.caller.name, "", (), "")
        match sending.recipients[0]:
            case Colleague(user_id):
                user = await self._directory.user_by_id(user_id)
                if user is None or not user.voice_mail_enabled:
                    raise DeliveryRefused(f"user {user_id} has no mailbox any more")
            case _:
                user = await self._directory.user_by_id(sending.sender)
                if user is None:
                    raise DeliveryRefused(f"user {sending.sender}, who sends it, is gone")
        return user
