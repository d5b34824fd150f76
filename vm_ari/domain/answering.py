"""How a call is answered: the one decision that the telephone follows and `explain` tells."""

from dataclasses import dataclass

from vm_ari.domain.active_profile import Active, Whose, nobody_asks
from vm_ari.domain.greeting_choice import (
    DisabledNotice,
    GreetingChoice,
    NoMailboxNotice,
    OwnGreeting,
    Plays,
    choose_greeting,
)
from vm_ari.domain.preferences import (
    OPERATOR,
    TAKES_MESSAGES,
    TAKES_MESSAGES_IN,
    TRANSFER_OFFER,
    TRANSFERS,
)
from vm_ari.domain.profiles import ProfileName, TransferOffer
from vm_ari.domain.settings import Rules
from vm_ari.domain.situation import Situation
from vm_ari.domain.users import User


@dataclass(frozen=True)
class Verdict:
    """Yes or no, and why."""

    yes: bool
    reason: str


@dataclass(frozen=True)
class Destination:
    """Whom callers can be connected to."""

    number: str
    """As it was written; empty: nobody. The dialling rules are asked when it is dialled."""
    announced_by: TransferOffer
    """Who tells callers about it."""
    reason: str


@dataclass(frozen=True)
class Answer:
    """Everything that is decided before a word is spoken."""

    greeting: GreetingChoice
    active: Active | None
    """The profile that answers; nobody's mailbox has none, and a notice needs none."""
    takes_message: Verdict
    """May the caller leave a message after the greeting (CALL-05)?"""
    transfer: Destination
    operator: Destination
    """Where the operator key leads (CALL-12); the dialogue announces nothing."""

    @property
    def plays(self) -> Plays:
        """What the caller hears first."""
        return self.greeting.plays

    @property
    def ends_after_greeting(self) -> bool:
        """Is it a notice, after which the call ends?"""
        return isinstance(self.plays, NoMailboxNotice | DisabledNotice)


def decide(situation: Situation) -> Answer:
    """How this call is answered."""
    greeting = choose_greeting(situation)
    if isinstance(greeting.plays, NoMailboxNotice | DisabledNotice):
        reason = "After this notice the call ends."
        return Answer(greeting, None, Verdict(False, reason), _nobody(reason), _nobody(reason))
    return Answer(
        greeting=greeting,
        active=situation.active,
        takes_message=_takes_message(situation),
        transfer=_transfer(situation, greeting.plays),
        operator=operator_of(situation.user, situation.rules, situation.whose),
    )


def operator_of(user: User | None, rules: Rules, whose: Whose = nobody_asks) -> Destination:
    """Where the operator key leads."""
    if not rules.operator_key:
        return _nobody("The site has no operator key.")
    number = user.operator if user else rules.operator
    by = whose(OPERATOR.key) if user else " (the site's setting)"
    if not number:
        return _nobody(f"No operator is set{by}.")
    return Destination(number, TransferOffer.SYSTEM, f"A key leads there{by}.")


def _takes_message(situation: Situation) -> Verdict:
    user = situation.user
    if user is None:
        return Verdict(True, "It goes to the default recipient.")
    takes, key = user.takes_messages, TAKES_MESSAGES.key
    for profile in _profiles_asked(situation):
        own = user.may_leave_message(profile)
        if own is not None:
            takes, key = own, TAKES_MESSAGES_IN[profile].key
            break
    told = "Callers may leave one" if takes else "The greeting is an announcement only"
    profiles = f" in profile {profile.value}" if key != TAKES_MESSAGES.key else ""
    return Verdict(takes, f"{told}{profiles}{situation.whose(key)}.")


def _transfer(situation: Situation, plays: Plays) -> Destination:
    """Where the profile that answers has callers connected to (XFER-01)."""
    if situation.user is None:
        return _nobody("A mailbox of nobody has no profiles.")
    for profile in _profiles_asked(situation):
        number = situation.user.transfer_in(profile)
        if number is not None:
            break
    by = situation.whose(TRANSFERS[profile].key)
    if not number:
        return _nobody(f"No destination is set for profile {profile.value}{by}.")
    announcer, why = _announcer(situation, situation.user, profile, plays)
    return Destination(number, announcer, f"The destination of profile {profile.value}{by}; {why}.")


def _announcer(
    situation: Situation, user: User, profile: ProfileName, plays: Plays
) -> tuple[TransferOffer, str]:
    """Only what the user has recorded for that very profile can tell about it."""
    by = situation.whose(TRANSFER_OFFER.key)
    if user.transfer_offer is TransferOffer.SYSTEM:
        return TransferOffer.SYSTEM, f"a sentence after the greeting tells about it{by}"
    if isinstance(plays, OwnGreeting) and plays.profile is profile:
        return TransferOffer.USER, f"the greeting tells about it{by}"
    return TransferOffer.SYSTEM, "a sentence tells about it, for another greeting plays"


def _profiles_asked(situation: Situation) -> tuple[ProfileName, ...]:
    """The profile that answers; for what it leaves open about internal callers, the next one."""
    turns = tuple(one.profile for one in situation.candidates if one.profile is not None)
    return turns[:2] if turns[0] is ProfileName.INTERNAL else turns[:1]


def _nobody(reason: str) -> Destination:
    return Destination("", TransferOffer.SYSTEM, reason)
