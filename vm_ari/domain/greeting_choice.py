"""What a caller hears first, and why: the ladder of GREET-08.

The rungs are tried in the order of `LADDER`; the first that has something to play, plays. A profile
whose turn it is but that has nothing recorded leaves the turn to the next, so there is never
silence. Of one profile's recordings the wished language plays, else the owner's, else any: what the
greeting says matters more than its language.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum

from vm_ari.domain.active_profile import Turn
from vm_ari.domain.greetings import GlobalMode, Greeting, GreetingType, Slot
from vm_ari.domain.language import LanguageChoice, LanguageMode, Speakers, choose_language
from vm_ari.domain.numbers import normalise
from vm_ari.domain.preferences import GREETING_TYPE, VOICE_MAIL_ENABLED
from vm_ari.domain.profiles import ProfileName
from vm_ari.domain.settings import spoken_number
from vm_ari.domain.situation import Situation
from vm_ari.domain.users import User


class Rung(Enum):
    """What is considered; the value is its name for people."""

    NO_MAILBOX = "notice that there is no such mailbox"
    DISABLED = "notice that the mailbox is disabled"
    GLOBAL_ALWAYS = "global greeting, always"
    INTERNAL = "greeting for internal callers"
    VACATION = "greeting of vacation"
    HOURS = "greeting for off-hours or breaks"
    PROFILE = "greeting of the active profile"
    GLOBAL_IF_NONE = "global greeting, if there is none"
    DEFAULT = "default greeting"


@dataclass(frozen=True)
class NoMailboxNotice:
    """Nobody has that number; the call ends."""


@dataclass(frozen=True)
class DisabledNotice:
    """The mailbox is disabled; the call ends."""


@dataclass(frozen=True)
class GlobalGreeting:
    """The site's one recording."""

    greeting: Greeting


@dataclass(frozen=True)
class OwnGreeting:
    """What the owner has recorded for a profile."""

    profile: ProfileName
    greeting: Greeting


@dataclass(frozen=True)
class PersonalisedGreeting:
    """A sentence of the system with the owner's recorded name."""

    profile: ProfileName
    name: Greeting


@dataclass(frozen=True)
class DefaultGreeting:
    """A sentence of the system with the number of the mailbox."""

    number: str
    """As it is said (GREET-06)."""


Plays = (
    NoMailboxNotice
    | DisabledNotice
    | GlobalGreeting
    | OwnGreeting
    | PersonalisedGreeting
    | DefaultGreeting
)


@dataclass(frozen=True)
class Step:
    """One rung that was considered."""

    rung: Rung
    plays: Plays | None
    """None: it does not apply."""
    reason: str


@dataclass(frozen=True)
class GreetingChoice:
    """What plays, and every step up to it."""

    plays: Plays
    language: LanguageChoice
    steps: tuple[Step, ...]

    @property
    def rung(self) -> Rung:
        """The one that applies."""
        return self.steps[-1].rung


@dataclass(frozen=True)
class _Finding:
    """What a rung has to play, by language; nothing where it does not apply."""

    options: Mapping[str, Plays]
    reason: str


def choose_greeting(situation: Situation) -> GreetingChoice:
    """Decide. Which rung applies does not depend on the language, only which recording plays."""
    steps: list[Step] = []
    for rung, consider in LADDER.items():
        found = consider(situation)
        if found.options:
            language = _language(situation, rung, found.options)
            code = _recorded_in(situation, found.options, language.language)
            plays = found.options[code]
            last = Step(rung, plays, found.reason + _told(code, language.language))
            return GreetingChoice(plays, language, (*steps, last))
        steps.append(Step(rung, None, found.reason))
    raise AssertionError("the last rung always plays")


def _recorded_in(situation: Situation, options: Mapping[str, Plays], wished: str) -> str:
    """The wished language; else the owner's; else the first by alphabet."""
    own = situation.user.language if situation.user else situation.rules.language
    return next(code for code in (wished, own, *sorted(options)) if code in options)


def _told(code: str, wished: str) -> str:
    """Nothing for what has no language of its own."""
    missing = "" if code == wished else f", for there is none in {wished}"
    return code and f" It plays in {code}{missing}."


def _language(situation: Situation, rung: Rung, options: Mapping[str, Plays]) -> LanguageChoice:
    """In which language the caller is greeted (LANG-02), or between which to choose.

    Nobody is asked where the same plays for everybody.
    """
    user, rules = situation.user, situation.rules
    own = user.language if user else rules.language
    mode = user.greeting_language if user else LanguageMode.FIXED
    if mode is LanguageMode.MENU and rung in _SAME_FOR_ALL:
        mode = LanguageMode.FIXED
    recorded = (
        ()
        if rung in _OF_THE_SYSTEM
        else tuple(
            code for code, plays in options.items() if not isinstance(plays, PersonalisedGreeting)
        )
    )
    return choose_language(
        own,
        mode,
        situation.caller,
        Speakers(situation.spoken, recorded),
        chosen=situation.chosen_language,
        table=rules.country_languages,
        site=rules.language,
    )


def _no_mailbox(situation: Situation) -> _Finding:
    if situation.user is not None:
        name = situation.user.name or situation.user.id
        return _Finding({}, f"The number belongs to {name}.")
    if situation.owner_unknown:
        return _Finding({}, "The directory cannot be asked; the owner is found later.")
    if situation.rules.default_recipient:
        return _Finding({}, "Nobody has the number, but there is a default recipient.")
    reason = "Nobody has the number, and there is no default recipient."
    return _Finding({"": NoMailboxNotice()}, reason)


def _disabled(situation: Situation) -> _Finding:
    notice = {"": DisabledNotice()}
    if not situation.rules.voice_mail_enabled:
        return _Finding(notice, "Voice mail is switched off for everybody.")
    if situation.user is None:
        return _Finding({}, "A mailbox of nobody cannot be disabled.")
    enabled = situation.user.voice_mail_enabled
    state = "on" if enabled else "off"
    reason = f"Voice mail is switched {state}{situation.whose(VOICE_MAIL_ENABLED.key)}."
    return _Finding({} if enabled else notice, reason)


def _global(mode: GlobalMode) -> Callable[[Situation], _Finding]:
    def consider(situation: Situation) -> _Finding:
        told = f"The global greeting plays “{situation.global_mode.value}”"
        if situation.global_mode is not mode:
            return _Finding({}, f"{told}.")
        recorded = situation.recordings(Slot.GLOBAL)
        if not recorded:
            return _Finding({}, f"{told}, but there is none now.")
        return _Finding({code: GlobalGreeting(one) for code, one in recorded.items()}, f"{told}.")

    return consider


def _profile(turn: Turn) -> Callable[[Situation], _Finding]:
    def consider(situation: Situation) -> _Finding:
        judged = next((one for one in situation.candidates if one.turn is turn), None)
        if situation.user is None or judged is None:
            return _Finding({}, "A mailbox of nobody has no profiles.")
        if judged.profile is None:
            return _Finding({}, judged.reason)
        return _recorded(situation, situation.user, judged.profile, judged.reason)

    return consider


def _recorded(situation: Situation, user: User, profile: ProfileName, reason: str) -> _Finding:
    """The greetings of a profile, of the type that the user has decided for (GREET-04)."""
    kind = f"Greetings are {user.greeting_type.value}{situation.whose(GREETING_TYPE.key)}"
    match user.greeting_type:
        case GreetingType.PERSONALISED:
            names = situation.recordings(Slot.NAME)
            if not names:
                return _Finding({}, f"{reason} {kind}, but no name is recorded.")
            sentences = {code: PersonalisedGreeting(profile, one) for code, one in names.items()}
            return _Finding(sentences, f"{reason} {kind}.")
        case GreetingType.INDIVIDUAL:
            own = situation.recordings(Slot(profile.value))
            if not own:
                return _Finding({}, f"{reason} Nothing is recorded for {profile.value} now.")
            return _Finding({code: OwnGreeting(profile, one) for code, one in own.items()}, reason)


def _default(situation: Situation) -> _Finding:
    number = mailbox_number(situation)
    return _Finding({"": DefaultGreeting(number)}, "It plays where no other greeting applies.")


def mailbox_number(situation: Situation) -> str:
    """As the default greeting says it (GREET-06)."""
    user, rules = situation.user, situation.rules
    own = (*user.numbers, user.mailbox)[0] if user else situation.dialled
    style = user.number_style if user else rules.number_style
    number = normalise(own, rules.site) or own
    return spoken_number(number, rules.site_for(number), style)


LADDER: Mapping[Rung, Callable[[Situation], _Finding]] = {
    Rung.NO_MAILBOX: _no_mailbox,
    Rung.DISABLED: _disabled,
    Rung.GLOBAL_ALWAYS: _global(GlobalMode.ALWAYS),
    Rung.INTERNAL: _profile(Turn.INTERNAL),
    Rung.VACATION: _profile(Turn.VACATION),
    Rung.HOURS: _profile(Turn.HOURS),
    Rung.PROFILE: _profile(Turn.CHOSEN),
    Rung.GLOBAL_IF_NONE: _global(GlobalMode.IF_NONE),
    Rung.DEFAULT: _default,
}
"""First that applies. The last one always does."""
_OF_THE_SYSTEM = {Rung.NO_MAILBOX, Rung.DISABLED, Rung.DEFAULT}
_SAME_FOR_ALL = {Rung.NO_MAILBOX, Rung.DISABLED, Rung.GLOBAL_ALWAYS}
