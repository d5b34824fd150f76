"""A month of random calls through every menu: no dead end, and no option that does nothing."""

import os

import pytest

from tests.dialogues.walker import report, walk
from tests.dialogues.walker_watch import (
    SILENCE,
    Notes,
    Question,
    options,
    spoken_by_calls,
    tables,
)
from vm_ari.domain.settings import Hideable
from vm_ari.speech.catalogue import P
from vm_ari.telephony.menu import Action

DAYS = int(os.environ.get("VM_ARI_WALK_DAYS", "30"))
MOST = 4 * DAYS
"""Days until every option has been chosen, at the latest."""
RARE = 12
"""Prompts that a month may miss: several unlikely things have to come together for them."""


@pytest.mark.feature_part("MENU-03", "a month of calls finds no dead end in any menu")
@pytest.mark.feature_part("MENU-01", "what a site hides is neither spoken nor accepted for a month")
def test_a_month_of_random_calls_meets_every_menu_and_option() -> None:
    seed = os.environ.get("VM_ARI_SEED", "1")
    print(f"VM_ARI_SEED={seed}")
    notes = walk(DAYS, seed, MOST)
    print(report(notes, seed, 0.0))
    assert notes.broken == []
    assert notes.dead_ends() == []
    assert notes.visited() == set(tables())
    assert notes.never_chosen() == set()
    assert len(notes.never_heard()) <= RARE


def test_a_walk_is_the_same_every_time() -> None:
    first, second = walk(1, "7"), walk(1, "7")
    assert first.ways == second.ways
    assert all(first.heard[prompt] == second.heard[prompt] for prompt in P)


def test_the_menus_are_found_by_themselves() -> None:
    assert {"main_menu.MAIN_MENU", "inbox.OPTIONS", "leave_message.REVIEW"} <= set(tables())
    assert (Action.DELETE, P.TO_DELETE) in options()
    assert P.FALLBACK_GREETING not in spoken_by_calls()
    assert P.PROFILE_VACATION in spoken_by_calls()


def test_what_is_wrong_with_a_menu_is_noticed() -> None:
    notes = Notes()
    keys = {"7": Action.REMOVE_TRANSFER, "1": Action.SET_TRANSFER}
    offers = {"7": P.TO_REMOVE_TRANSFER, "2": P.TO_SET_TRANSFER}
    asked = Question("transfer_menu.SOMEBODY", P.TRANSFER_IS, keys, offers, 9)
    notes.reached(asked, set())
    [offered] = notes.broken
    assert "is offered and not accepted" in offered
    notes.leads(asked, "7")
    assert notes.dead_ends() == [asked.node]
    notes.leads(asked, SILENCE)
    assert notes.dead_ends() == []
    reply = Question("inbox.OPTIONS", P.TO_REPEAT, {"3": Action.REPLY}, {}, 9)
    notes.reached(reply, {Hideable.REPLY})
    assert "is hidden and accepted" in notes.broken[-1]
