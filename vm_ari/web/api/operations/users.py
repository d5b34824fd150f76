"""Users: listed, searched, added, changed, numbered, removed; login and welcome mail (DIR-07)."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Literal

import structlog
from pydantic import Field
from starlette.responses import Response

from vm_ari.domain.directory_text import Unstorable
from vm_ari.domain.entries import MOST_NUMBERS, Entry
from vm_ari.domain.portal_rights import Role
from vm_ari.domain.preferences import VOICE_MAIL_ENABLED
from vm_ari.domain.user_queries import LONGEST_SEARCH, UserQuery, words_of
from vm_ari.ports import MailNotQueued, UnknownUser
from vm_ari.services.users import Refused as UserRefused
from vm_ari.services.users import new_pin, renumbered
from vm_ari.web.admin_parts import admin_parts, has_room, may_be, scoped_users, seen_organisations
from vm_ari.web.api.models import Given, Line, Listed, Paged, Told, following
from vm_ari.web.api.operation import Answer, Ask, Operation
from vm_ari.web.api.operations.oneself import Person, person
from vm_ari.web.api.operations.oneself import show as show_person
from vm_ari.web.api.parts import end_tokens
from vm_ari.web.api.problems import Fault, Problem, invalid
from vm_ari.web.page import Scope
from vm_ari.web.pages.account import ACTIONS, UNLOCK
from vm_ari.web.pages.users import addresses_taken
from vm_ari.web.people import judged_beside_others, stored
from vm_ari.web.people_forms import FIELDS, PersonForm, edited, faults_of, form_of, with_address
from vm_ari.web.visit import Visit, read_id, written_id

log = structlog.get_logger("vm_ari.portal")

USUAL, MOST = 50, 200
Numbers = Annotated[list[Line], Field(max_length=MOST_NUMBERS, description="In any spelling.")]
"""Of one user."""


class UserTold(Told):
    """A user in a list."""

    id: str
    name: str
    mail: str
    mailbox: str
    numbers: list[str]
    organisation: str


class UserPage(Listed[UserTold]):
    """Users by id."""


class UserSearch(Paged):
    """Which users."""

    find: str = Field(
        default="", max_length=LONGEST_SEARCH, description="Words of id, name, address or number."
    )
    organisation: Line | None = Field(default=None, description="Id; empty: users without one.")
    limit: Annotated[int, Field(ge=1, le=MOST)] = USUAL


class UserChange(Given):
    """What becomes different; the rest stays."""

    given: Line | None = None
    surname: Line | None = None
    name: Line | None = Field(default=None, description="Empty: made by the site's template.")
    mail: Line | None = None
    mailbox: Line | None = Field(default=None, description="Empty: that of the first number.")
    organisation: Line | None = None
    enabled: bool | None = Field(default=None, description="Voice mail on or off.")


class UserGiven(Given):
    """A new user."""

    id: Annotated[Line, Field(min_length=1, max_length=64)]
    given: Line = ""
    surname: Line = ""
    name: Line = ""
    mail: Line = Field(default="", description="Empty: made by the site's template, if any.")
    mailbox: Line = ""
    organisation: Line = ""
    numbers: Numbers = Field(default_factory=list)
    pin: bool = Field(default=False, description="Make a PIN; the welcome mail brings it.")


class NumbersGiven(Given):
    """All numbers, and no others."""

    numbers: Numbers


class NumbersTold(Told):
    """What calls come in by."""

    numbers: list[str] = Field(description="E.164.")
    mailbox: str


class LoginGiven(Given):
    """What is done with the login."""

    action: Literal["unlock", "resend", "reset", "unlock-resend", "unlock-reset"] = Field(
        description="resend: the welcome mail again; reset: with a new PIN."
    )
    now: bool = Field(default=False, description="The mail leaves at once, not at the next call.")


class LoginTold(Told):
    """What became of it."""

    outcome: str = Field(description="unlocked, with-next-call, queued, or why not.")


async def listed(ask: Ask) -> Answer:
    """A page."""
    visit, asked = ask.visit, ask.asked(UserSearch)
    seen = seen_organisations(visit)
    if asked.organisation is not None:
        seen &= {asked.organisation}
    after = read_id(asked.after[:400])
    if not after.isprintable():
        raise invalid("query.after", "There is no such page; begin with the first one.")
    query = UserQuery(seen, words_of(asked.find), after, asked.limit + 1)
    found = list(await admin_parts(visit).users.page(query)) if seen else []
    shown = found[: asked.limit]
    more = written_id(shown[-1].id) if len(found) > asked.limit else ""
    return UserPage(items=[_listed(one) for one in shown], next=following(more))


async def add(ask: Ask) -> Answer:
    """A new one, if nothing is in the way."""
    visit, given, desk = ask.visit, ask.given(UserGiven), scoped_users(ask.visit)
    texts = {key: getattr(given, key).strip() for key in FIELDS if hasattr(given, key)}
    form = _judged(visit, {**_empty(), **texts, **_numbered(given.numbers)})
    if not may_be(visit)(given.id):
        form = form.with_fault("id", visit.words("account.fault.reserved"))
    elif await visit.parts.users.register.entry_by_id(given.id):
        raise Problem("taken", visit.words("account.fault.id-taken"), where="body.id")
    _must_be_good(form)
    if not await has_room(visit, form.typed["organisation"]):
        raise Problem("full", visit.words("users.full"), where="body.organisation")
    bare = edited(Entry(given.id.strip(), ""), form, desk.house)
    entry = with_address(bare, desk.house, await addresses_taken(visit, bare))
    await _must_be_free(visit, entry, form)
    pin = new_pin(visit.parts.logins.rules.shortest_pin) if given.pin else None
    await _stored(visit, None, desk.with_pin(entry, pin))
    return await person(visit, entry)


async def change(ask: Ask) -> Answer:
    """All of it, or nothing."""
    visit, given, old = ask.visit, ask.given(UserChange), ask.visit.owner
    new = {key: text for key, text in given.model_dump(exclude_none=True).items() if key in FIELDS}
    form = _judged(visit, {**form_of(old).typed, **{key: new[key].strip() for key in new}})
    _must_be_good(form)
    moves = form.typed["organisation"] != old.organisation
    if moves and not await has_room(visit, form.typed["organisation"]):
        raise Problem("full", visit.words("users.full"), where="body.organisation")
    entry = edited(old, form, scoped_users(visit).house)
    if given.enabled is not None and given.enabled != visit.user.voice_mail_enabled:
        on = VOICE_MAIL_ENABLED.format(given.enabled)
        entry = replace(entry, settings={**entry.settings, VOICE_MAIL_ENABLED.key: on})
    await _must_be_free(visit, entry, form)
    await _stored(visit, old, entry)
    return await show_person(await ask.fresh())


async def show_numbers(ask: Ask) -> Answer:
    """As the directory has them."""
    owner = ask.visit.owner
    return NumbersTold(numbers=list(owner.numbers), mailbox=owner.mailbox)


async def renumber(ask: Ask) -> Answer:
    """These numbers, and no others; a mailbox that was made of a number that goes, goes, too."""
    visit, old = ask.visit, ask.visit.owner
    try:
        entry = renumbered(old, ask.given(NumbersGiven).numbers, scoped_users(visit).house.site)
    except UserRefused as error:
        raise invalid("body.numbers", str(error)) from None
    await _must_be_free(visit, entry, form_of(entry))
    await _stored(visit, old, entry)
    return await show_numbers(await ask.fresh())


async def remove(ask: Ask) -> Answer:
    """Forget the user, his sessions and tokens."""
    visit, owner = ask.visit, ask.visit.owner
    if owner.id == visit.me.entry.id:
        raise Problem("forbidden", visit.words("account.fault.oneself"))
    try:
        await scoped_users(visit).register.remove_user(owner.id)
    except UnknownUser:
        log.info("user was removed meanwhile", user=owner.id)
    await visit.parts.sessions.end_all(owner.id)
    await end_tokens(visit.parts, owner.id)
    admin_parts(visit).users.changed()
    log.info("user removed", user=owner.id, by=visit.me.entry.id)
    return Response(status_code=204)


async def login(ask: Ask) -> Answer:
    """Unlock, or have the welcome mail sent again (WELCOME-05)."""
    visit, given = ask.visit, ask.given(LoginGiven)
    try:
        outcome = await _login(visit, given)
    except (UnknownUser, Unstorable, MailNotQueued) as error:
        log.warning("welcome mail not asked for", user=visit.user.id, reason=str(error))
        raise Problem("away", visit.words("forms.not-stored")) from None
    owner, by = visit.owner.id, visit.me.entry.id
    log.info("login reset", user=owner, by=by, what=given.action, end=outcome)
    admin_parts(visit).users.changed()
    return LoginTold(outcome=outcome)


async def _login(visit: Visit, given: LoginGiven) -> str:
    """Raises `UnknownUser`, `Unstorable`, `MailNotQueued`, `Problem`."""
    if given.action == UNLOCK:
        await scoped_users(visit).register.unlock(visit.owner.id)
        return "unlocked"
    welcome = admin_parts(visit).welcome
    if welcome is None or not welcome.rules.enabled:
        raise Problem("switched-off", visit.words("account.outcome.switched-off"))
    new, unlock = ACTIONS[given.action]
    ended = await welcome.ask_again(visit.user, new_pin=new, unlock=unlock, now=given.now)
    return ended.name.lower().replace("_", "-") if ended else "with-next-call"


def _empty() -> dict[str, str]:
    return dict.fromkeys(FIELDS, "")


def _numbered(numbers: list[str]) -> Mapping[str, str]:
    return {f"number{place}": text.strip() for place, text in enumerate(numbers, start=1)}


def _judged(visit: Visit, typed: Mapping[str, str]) -> PersonForm:
    """As the page judges its form."""
    return PersonForm(typed, dict(faults_of(visit, typed)))


def _must_be_good(form: PersonForm) -> None:
    if form.faults:
        faults = [Fault(where=_where(key), what=text) for key, text in form.faults.items()]
        raise Problem("invalid", faults[0].what, where=faults[0].where, faults=faults)


async def _must_be_free(visit: Visit, entry: Entry, form: PersonForm) -> None:
    """Nothing of it belongs to somebody else. Raises `Problem`."""
    judged = await judged_beside_others(visit, entry, form)
    if judged.faults:
        faults = [Fault(where=_where(key), what=text) for key, text in judged.faults.items()]
        own = visit.words("account.fault.own-mail") in judged.faults.values()
        code = "needs-code" if own else "taken"
        raise Problem(code, faults[0].what, where=faults[0].where, faults=faults)


async def _stored(visit: Visit, old: Entry | None, new: Entry) -> None:
    if error := await stored(visit, old, new):
        raise Problem("invalid", error, where="body")


def _where(field: str) -> str:
    """The place in a body of a field of the form."""
    digits = field.removeprefix("number")
    return f"body.numbers.{int(digits) - 1}" if digits.isdecimal() else f"body.{field}"


def _listed(entry: Entry) -> UserTold:
    return UserTold(
        id=entry.id,
        name=entry.name,
        mail=entry.mail,
        mailbox=entry.mailbox,
        numbers=list(entry.numbers),
        organisation=entry.organisation,
    )


_ADMIN = Role.ADMINISTRATOR
OPERATIONS = (
    Operation(
        "listUsers",
        "GET",
        "users",
        listed,
        "Users by id, searched",
        UserPage,
        asks=UserSearch,
        role=_ADMIN,
        scope=Scope.HOUSE,
    ),
    Operation(
        "addUser",
        "POST",
        "users",
        add,
        "Add a user",
        Person,
        status=201,
        takes=UserGiven,
        role=_ADMIN,
        scope=Scope.HOUSE,
    ),
    Operation(
        "changeUser",
        "PATCH",
        "",
        change,
        "Change name, address, mailbox or organisation",
        Person,
        takes=UserChange,
        role=_ADMIN,
        state=show_person,
    ),
    Operation(
        "showNumbers",
        "GET",
        "numbers",
        show_numbers,
        "The numbers and the mailbox of a user",
        NumbersTold,
        state=show_numbers,
    ),
    Operation(
        "numberUser",
        "PUT",
        "numbers",
        renumber,
        "Give a user these numbers and no others",
        NumbersTold,
        takes=NumbersGiven,
        role=_ADMIN,
        state=show_numbers,
        needs_match=True,
    ),
    Operation(
        "removeUser",
        "DELETE",
        "",
        remove,
        "Forget a user",
        status=204,
        role=_ADMIN,
        state=show_person,
        needs_match=True,
    ),
    Operation(
        "resetLogin",
        "POST",
        "login",
        login,
        "Unlock the login, or have the welcome mail sent again",
        LoginTold,
        takes=LoginGiven,
        role=_ADMIN,
    ),
)
