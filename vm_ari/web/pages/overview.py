"""The first page: what does a caller hear now, and why; how many messages are there (GREET-08)."""

import asyncio
from collections.abc import Mapping

import structlog
from starlette.responses import Response

from vm_ari.domain.answering import Answer, decide
from vm_ari.domain.callers import caller_from
from vm_ari.domain.greeting_choice import Rung
from vm_ari.domain.greetings import GlobalMode, Greeting, GreetingKey
from vm_ari.domain.messages import Counts
from vm_ari.domain.situation import Situation
from vm_ari.ports import GreetingsUnavailable, MailboxUnavailable
from vm_ari.web.page import Page
from vm_ari.web.visit import Visit

log = structlog.get_logger("vm_ari.portal")

COUNT_SECONDS = 10.0


async def show(visit: Visit) -> Response:
    """The overview; messages are counted by a second request, for mail servers may be slow."""
    situation = await situation_now(visit, visit.request.query_params.get("from", ""))
    counted = await _counted(visit) if "count" in visit.request.query_params else None
    answer = decide(situation)
    return visit.page(
        "overview.html",
        visit.words("overview.title"),
        situation=situation,
        answer=answer,
        facts=_facts(visit, situation, answer),
        counts=counted,
        asked="count" in visit.request.query_params,
        caller=visit.request.query_params.get("from", "")[:40],
    )


async def counts(visit: Visit) -> Response:
    """Only how many messages there are: asked for by the page itself."""
    found = await _counted(visit)
    return visit.page("overview-counts.html", "", counts=found, asked=True)


async def situation_now(visit: Visit, caller: str) -> Situation:
    """A call to the owner's mailbox just now, from that number in any spelling."""
    rules, user = visit.parts.own_settings.rules, visit.user
    recordings, mode = await _recordings(visit)
    return Situation(
        user=user,
        dialled=user.mailbox or next(iter(user.numbers), ""),
        caller=caller_from(caller[:40], "", rules.site),
        at=visit.parts.clock.now(),
        rules=rules,
        greetings=recordings,
        global_mode=mode,
        spoken=visit.parts.languages,
        calendar=visit.parts.calendar,
    )


async def _recordings(visit: Visit) -> tuple[Mapping[GreetingKey, Greeting], GlobalMode]:
    """Where they cannot be read, calls go on without them, too."""
    store = visit.parts.greetings
    if store is None:
        return {}, GlobalMode.OFF
    try:
        return await store.for_callers(visit.user.id)
    except GreetingsUnavailable as error:
        log.warning("greetings cannot be read", reason=str(error))
        return {}, GlobalMode.OFF


async def _counted(visit: Visit) -> Counts | None:
    """None: the message store does not tell just now."""
    store = visit.parts.mailboxes
    if store is None:
        return None
    try:
        async with asyncio.timeout(COUNT_SECONDS), store.open(visit.user) as mailbox:
            return await mailbox.counts()
    except (MailboxUnavailable, TimeoutError) as error:
        log.warning("not counted", user=visit.user.id, reason=str(error) or "no answer in time")
        return None


def _facts(visit: Visit, situation: Situation, answer: Answer) -> list[tuple[str, str]]:
    """What was decided, in the words of the page."""
    t, user = visit.words, visit.user
    facts = [(t("overview.hears"), t(f"overview.rung.{answer.greeting.rung.name.lower()}"))]
    if answer.active:
        profile = t(f"values.{answer.active.profile}")
        why = t(f"overview.turn.{answer.active.turn.name.lower()}")
        facts.append((t("overview.profile"), f"{profile} – {why}"))
    if answer.greeting.rung not in {Rung.NO_MAILBOX, Rung.DISABLED}:
        speech = t(f"languages.{answer.greeting.language.language}")
        facts.append((t("overview.language"), speech))
        takes = "yes" if answer.takes_message.yes else "no"
        facts.append((t("overview.message"), t(f"overview.takes.{takes}")))
        nobody = t("overview.nobody")
        facts.append((t("overview.transfer"), answer.transfer.number or nobody))
    facts.append((t("overview.numbers"), ", ".join((*user.numbers, user.mailbox))))
    return facts


PAGES = (
    Page("overview", show, menu=10),
    Page("overview/counts", counts, passive=True),
)
