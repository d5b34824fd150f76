"""What the pages of users' accounts share: who has what is taken, and a change that is stored."""

from collections.abc import Iterator

import structlog

from vm_ari.domain.directory_text import Unstorable
from vm_ari.domain.entries import Entry
from vm_ari.domain.packages import Shortage
from vm_ari.ports import DirectoryReadOnly, Taken, UnknownUser
from vm_ari.services.limited_register import NoPackage
from vm_ari.services.users import Refused
from vm_ari.web.admin_parts import admin_parts, scoped_users
from vm_ari.web.people_forms import PersonForm, number_fields
from vm_ari.web.people_parts import people_parts
from vm_ari.web.visit import Visit

log = structlog.get_logger("vm_ari.portal")


async def judged_beside_others(visit: Visit, entry: Entry, form: PersonForm) -> PersonForm:
    """With what belongs to somebody else already; names are said of users one may see only."""
    register = visit.parts.users.register
    for field, number in _called(entry):
        owner = await register.entry_by_number(number)
        if owner and owner.id != entry.id:
            form = form.with_fault(field, _taken(visit, number, owner))
    if _own_mail_without_code(visit, entry):
        form = form.with_fault("mail", visit.words("account.fault.own-mail"))
    owner = await visit.parts.find(entry.mail) if entry.mail else None
    if owner and owner.id != entry.id and owner.mail.casefold() == entry.mail.casefold():
        form = form.with_fault("mail", _taken(visit, entry.mail, owner))
    return form


async def stored(visit: Visit, old: Entry | None, new: Entry) -> str:
    """Add or change a user, wholly; says why not, or nothing. Raises `DirectoryUnavailable`."""
    register = scoped_users(visit).register
    try:
        if old is None:
            await register.add_entries([new])
        else:
            await register.merge_entries([], [(old, new)])
    except DirectoryReadOnly:
        return visit.words("account.read-only")
    except NoPackage as error:
        return full(visit, error.shortage)
    except (Taken, UnknownUser, Unstorable, Refused) as error:
        log.warning("user not stored", user=new.id, by=visit.me.entry.id, reason=str(error))
        return visit.words("forms.not-stored")
    admin_parts(visit).users.changed()
    if old and old.mail != new.mail:
        before = await visit.parts.user_of(old)
        await people_parts(visit.parts).mail_changes.tell_changed(before, new.mail)
    what = "user added" if old is None else "user changed"
    log.info(what, user=new.id, by=visit.me.entry.id, fields=_different(old, new))
    return ""


def _own_mail_without_code(visit: Visit, entry: Entry) -> bool:
    """Nobody changes the own address without its code, where one can be sent."""
    if visit.owned is None or entry.id != visit.me.entry.id:
        return False
    sends = people_parts(visit.parts).mail_changes.sends_codes(visit.owner.mail)
    return sends and entry.mail != visit.owner.mail


def full(visit: Visit, missing: Shortage) -> str:
    """What is said where there is no package left."""
    return visit.words("users.full-site" if missing.organisation is None else "users.full")


def _called(entry: Entry) -> Iterator[tuple[str, str]]:
    yield from zip(number_fields(entry), entry.numbers, strict=False)
    if entry.mailbox and entry.mailbox not in entry.numbers:
        yield "mailbox", entry.mailbox


def _taken(visit: Visit, what: str, owner: Entry) -> str:
    if visit.may_act_in(owner.organisation):
        name = owner.name or owner.id
        return visit.words("account.fault.taken", what=what, name=name, id=owner.id)
    return visit.words("account.fault.taken-elsewhere", what=what)


def _different(old: Entry | None, new: Entry) -> list[str]:
    names = ("name", "given", "surname", "mail", "organisation", "mailbox", "numbers", "settings")
    return [one for one in names if old is None or getattr(old, one) != getattr(new, one)]
