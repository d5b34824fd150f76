"""Which greeting plays: every case of precedence, and what holds in all of them (GREET-08)."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain, combinations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.domain.calls import (
    ANNA,
    COLLEAGUE,
    FOREIGNER,
    HOURS,
    OUTSIDE,
    PAUSING,
    RESTING,
    RULES,
    WORKING,
    call,
    recording,
    recordings,
)
from vm_ari.domain.greeting_choice import (
    LADDER,
    DefaultGreeting,
    DisabledNotice,
    GlobalGreeting,
    GreetingChoice,
    NoMailboxNotice,
    OwnGreeting,
    PersonalisedGreeting,
    Plays,
    Rung,
    choose_greeting,
)
from vm_ari.domain.greetings import GlobalMode, Greeting, GreetingKey, GreetingType, Slot
from vm_ari.domain.language import LanguageMode
from vm_ari.domain.profiles import CHOOSABLE, ProfileName
from vm_ari.domain.settings import NumberStyle
from vm_ari.domain.situation import Situation

P = ProfileName
RUNGS = list(LADDER)


def heard(plays: Plays) -> str:
    """The file that the caller hears, or the sentence of the system."""
    match plays:
        case NoMailboxNotice():
            return "no mailbox"
        case DisabledNotice():
            return "disabled"
        case GlobalGreeting(greeting) | OwnGreeting(_, greeting):
            return str(greeting.path)
        case PersonalisedGreeting(_, name):
            return f"mailbox of {name.path}"
        case DefaultGreeting(number):
            return f"mailbox {number}"


# --- The table


@dataclass(frozen=True)
class Case:
    """One row of the table, in plain words."""

    disabled: str
    """no, user or site."""
    mode: str
    """Of the global greeting: off, if-none or always."""
    internal: str
    """no, yes or off: the site has no internal profile."""
    vacation: bool
    hours: str
    """work, break or off."""
    kind: str
    """individual or personalised."""
    slots: frozenset[str]
    """What is recorded."""
    languages: tuple[str, ...]
    """In which each of them is."""
    wished: str
    """By the caller; the owner speaks German."""


SLOTS = ("internal", "vacation", "home", "mobile", "work", "name", "global")
SUBSETS = [
    frozenset(subset)
    for subset in chain.from_iterable(combinations(SLOTS, size) for size in range(len(SLOTS) + 1))
]
LANGUAGES = [(("de",), "de"), (("en", "fr"), "de"), (("de", "en"), "en"), (("de", "en"), "fr")]


def cases(disabled: str, mode: str, internal: str) -> Iterator[Case]:
    """Every row that begins so."""
    rest = product((False, True), ("work", "break", "off"), ("individual", "personalised"))
    for (vacation, hours, kind), slots, (languages, wished) in product(rest, SUBSETS, LANGUAGES):
        yield Case(disabled, mode, internal, vacation, hours, kind, slots, languages, wished)


def expected(case: Case) -> str:
    """The rules as one would tell them: work is active, off-hours have home, breaks mobile."""
    if case.disabled != "no":
        return "disabled"
    if case.mode == "always" and "global" in case.slots:
        return f"global-{in_language(case)}"
    situations = []
    if case.internal == "yes":
        situations.append("internal")
    if case.vacation:
        situations.append("vacation")
    if case.hours == "off" and not case.vacation:
        situations.append("home")
    if case.hours == "break" and not case.vacation:
        situations.append("mobile")
    if not case.vacation:
        situations.append("work")
    for situation in situations:
        if case.kind == "personalised" and "name" in case.slots:
            return f"mailbox of name-{in_language(case)}"
        if case.kind == "individual" and situation in case.slots:
            return f"{situation}-{in_language(case)}"
    if case.mode == "if-none" and "global" in case.slots:
        return f"global-{in_language(case)}"
    return "mailbox 101"


def in_language(case: Case) -> str:
    """As the caller wishes; else as the owner speaks; else the first there is."""
    if case.wished in case.languages:
        return case.wished
    if "de" in case.languages:
        return "de"
    return min(case.languages)


RECORDED = {
    (slots, languages): recordings(map(Slot, slots), languages)
    for slots in SUBSETS
    for languages, _ in LANGUAGES
}


def situation_of(case: Case) -> Situation:
    """The same for the program."""
    user = replace(
        ANNA,
        voice_mail_enabled=case.disabled != "user",
        profile=P.VACATION if case.vacation else P.WORK,
        office_hours=HOURS,
        off_hours_profile=P.HOME,
        break_profile=P.MOBILE,
        greeting_type=GreetingType(case.kind),
    )
    rules = replace(
        RULES, voice_mail_enabled=case.disabled != "site", internal_profile=case.internal != "off"
    )
    return call(
        user,
        {"work": WORKING, "break": PAUSING, "off": RESTING}[case.hours],
        rules=rules,
        caller=OUTSIDE if case.internal == "no" else COLLEAGUE,
        greetings=RECORDED[case.slots, case.languages],
        global_mode=GlobalMode(case.mode),
        spoken=("de", "en", "fr"),
        chosen_language=case.wished,
    )


@pytest.mark.feature_part("GREET-08", "all cases of precedence, as decisions")
@pytest.mark.parametrize("internal", ["no", "yes", "off"])
@pytest.mark.parametrize("mode", ["off", "if-none", "always"])
@pytest.mark.parametrize("disabled", ["no", "user", "site"])
def test_the_table_of_precedence(disabled: str, mode: str, internal: str) -> None:
    count = 0
    for case in cases(disabled, mode, internal):
        found = choose_greeting(situation_of(case))
        assert heard(found.plays) == expected(case), (case, found.steps)
        count += 1
    assert count == 2 * 3 * 2 * len(SUBSETS) * len(LANGUAGES)


# --- Single decisions


def test_what_nobody_owns_has_no_profiles() -> None:
    heir = replace(RULES, default_recipient="info@example.org")
    site = recordings([Slot.GLOBAL])
    assert heard(choose_greeting(call(None)).plays) == "no mailbox"
    assert heard(choose_greeting(call(None, rules=heir)).plays) == "mailbox 199"
    for mode in (GlobalMode.ALWAYS, GlobalMode.IF_NONE):
        found = choose_greeting(call(None, rules=heir, greetings=site, global_mode=mode))
        assert heard(found.plays) == "global-de"
    closed = replace(heir, voice_mail_enabled=False)
    assert heard(choose_greeting(call(None, rules=closed)).plays) == "disabled"


@pytest.mark.feature_part("GREET-10", "an expired greeting is as if it were not there")
def test_an_expired_greeting_leaves_the_turn_to_the_next() -> None:
    one = recording(Slot.WORK, expires=WORKING)
    for moment, plays in ((WORKING, "global-de"), (WORKING - timedelta(minutes=1), "work-de")):
        greetings = {one.key: one, **recordings([Slot.GLOBAL])}
        found = choose_greeting(
            call(at=moment, greetings=greetings, global_mode=GlobalMode.IF_NONE)
        )
        assert heard(found.plays) == plays


def test_somebody_elses_recording_never_plays() -> None:
    own = recording(Slot.WORK)
    other = replace(own, key=replace(own.key, owner="bert"))
    assert heard(choose_greeting(call(greetings={other.key: other})).plays) == "mailbox 101"
    private = replace(own, key=GreetingKey(ANNA.id, Slot.GLOBAL, "de"))
    found = choose_greeting(call(greetings={private.key: private}, global_mode=GlobalMode.ALWAYS))
    assert heard(found.plays) == "mailbox 101"


@pytest.mark.feature_part("GREET-06", "the number is the user's, in the style of the setting")
def test_the_default_greeting_says_the_users_number() -> None:
    abroad = replace(ANNA, number_style=NumberStyle.INTERNATIONAL)
    assert heard(choose_greeting(call(abroad)).plays) == "mailbox +4930555101"
    assert heard(choose_greeting(call(replace(ANNA, numbers=()))).plays) == "mailbox 101"


@pytest.mark.feature_part("LANG-02", "the caller's language among what is recorded")
def test_the_greeting_in_the_callers_language() -> None:
    user = replace(ANNA, greeting_language=LanguageMode.CALLER)
    both = recordings([Slot.WORK], ["de", "fr"])
    found = choose_greeting(call(user, greetings=both, caller=FOREIGNER))
    assert (heard(found.plays), found.language.prompts) == ("work-fr", "de")
    only = recordings([Slot.WORK], ["de"])
    found = choose_greeting(call(user, greetings=only, caller=FOREIGNER, spoken=("de", "fr")))
    assert (heard(found.plays), found.language.prompts) == ("work-de", "fr")
    assert found.steps[-1].reason.endswith("It plays in de, for there is none in fr.")


@pytest.mark.parametrize(
    ("slots", "mode", "menu"),
    [
        ([Slot.WORK], GlobalMode.OFF, ("en", "fr")),
        ([Slot.HOME], GlobalMode.OFF, ("de", "en")),
        ([Slot.WORK, Slot.GLOBAL], GlobalMode.ALWAYS, ()),
        ([Slot.GLOBAL], GlobalMode.IF_NONE, ("en", "fr")),
    ],
)
def test_callers_are_asked_for_a_language_that_they_can_then_hear(
    slots: list[Slot], mode: GlobalMode, menu: tuple[str, ...]
) -> None:
    user = replace(ANNA, greeting_language=LanguageMode.MENU)
    made = recordings(slots, ["fr", "en"])
    found = choose_greeting(call(user, greetings=made, global_mode=mode))
    assert found.language.menu == menu
    disabled = replace(user, voice_mail_enabled=False)
    assert choose_greeting(call(disabled, greetings=made)).language.menu == ()


def test_every_step_is_told_up_to_the_greeting_that_plays() -> None:
    user = replace(ANNA, office_hours=HOURS, off_hours_profile=P.HOME)
    greetings = recordings([Slot.WORK, Slot.VACATION])
    found = choose_greeting(call(user, RESTING, greetings=greetings))
    assert [(step.rung, step.plays is not None, step.reason) for step in found.steps] == [
        (Rung.NO_MAILBOX, False, "The number belongs to Anna Berg."),
        (Rung.DISABLED, False, "Voice mail is switched on."),
        (Rung.GLOBAL_ALWAYS, False, "The global greeting plays “off”."),
        (Rung.INTERNAL, False, "The caller is not internal."),
        (Rung.VACATION, False, "Vacation is not active."),
        (
            Rung.HOURS,
            False,
            "It is off-hours. Then home is used. Nothing is recorded for home now.",
        ),
        (Rung.PROFILE, True, "Work was activated. It plays in de."),
    ]


# --- What holds whatever happens

moments = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)).map(
    lambda moment: moment.replace(tzinfo=WORKING.tzinfo)
)
languages = st.sampled_from(["de", "en", "fr", "xx"])
profiles = st.sampled_from(CHOOSABLE)


@st.composite
def one_recording(draw: st.DrawFn) -> Greeting:
    expires = draw(st.none() | moments)
    return recording(draw(st.sampled_from(Slot)), draw(languages), expires=expires)


@st.composite
def situations(draw: st.DrawFn) -> Situation:
    user = replace(
        ANNA,
        language=draw(languages),
        time_zone=draw(st.sampled_from(["Europe/Berlin", "Asia/Tokyo", "America/New_York"])),
        voice_mail_enabled=draw(st.booleans() | st.just(True)),
        profile=draw(profiles),
        profile_until=draw(st.none() | st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1))),
        profile_after=draw(profiles),
        office_hours=draw(st.sampled_from([HOURS, ANNA.office_hours])),
        off_hours_profile=draw(st.none() | profiles),
        break_profile=draw(st.none() | profiles),
        greeting_type=draw(st.sampled_from(GreetingType)),
        greeting_language=draw(st.sampled_from(LanguageMode)),
    )
    rules = replace(
        RULES,
        voice_mail_enabled=draw(st.booleans() | st.just(True)),
        default_recipient=draw(st.sampled_from(["", "info@example.org"])),
        profiles=tuple(draw(st.lists(profiles, unique=True))),
        internal_profile=draw(st.booleans()),
    )
    made = draw(st.lists(one_recording(), max_size=8))
    return call(
        draw(st.none() | st.just(user) | st.just(user)),
        draw(moments),
        rules=rules,
        caller=draw(st.sampled_from([OUTSIDE, COLLEAGUE, FOREIGNER])),
        greetings={one.key: one for one in made},
        global_mode=draw(st.sampled_from(GlobalMode)),
        spoken=tuple(draw(st.lists(languages, min_size=1, unique=True))),
        chosen_language=draw(st.sampled_from(["", "de", "fr", "zz"])),
    )


def place(choice: GreetingChoice) -> int:
    """How far down the ladder."""
    return RUNGS.index(choice.rung)


@given(situations())
def test_there_is_never_silence_and_always_a_reason(situation: Situation) -> None:
    found = choose_greeting(situation)
    *passed, last = found.steps
    assert last.plays is found.plays
    assert all(step.plays is None for step in passed)
    assert [step.rung for step in found.steps] == RUNGS[: len(found.steps)]
    assert all(step.reason.endswith(".") for step in found.steps)
    assert found.language.prompts in situation.spoken
    match found.plays:
        case OwnGreeting(_, one) | PersonalisedGreeting(_, one) | GlobalGreeting(one):
            assert one.plays_at(situation.at)
            assert situation.greetings[one.key] is one
        case DefaultGreeting(number):
            assert number


@settings(max_examples=300)
@given(situations(), one_recording())
def test_one_more_greeting_changes_nothing_that_stands_earlier(
    situation: Situation, more: Greeting
) -> None:
    before = choose_greeting(situation)
    greetings = {more.key: more, **situation.greetings}
    after = choose_greeting(replace(situation, greetings=greetings))
    assert place(after) <= place(before)
    if place(after) < place(before):
        assert str(more.path) in heard(after.plays), "only the new one can have taken the turn"
    elif heard(after.plays) != heard(before.plays):
        assert str(more.path) in heard(after.plays), "another language of the same greeting"


@given(situations())
def test_without_any_recording_the_system_speaks(situation: Situation) -> None:
    found = choose_greeting(replace(situation, greetings={}))
    assert isinstance(found.plays, NoMailboxNotice | DisabledNotice | DefaultGreeting)
