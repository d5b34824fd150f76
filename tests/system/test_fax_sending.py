"""Faxes go to real machines: another Asterisk, by T.38 and as audio, with all kinds of trouble.

One story for all tests of the file, for a fax takes its time: everything is ordered at once, the
line of one fax is cut in its second page, and the controller is killed while another one is sent.
"""

import asyncio
import os
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests import faxes
from tests.system import fax_machines as at
from tests.system.fax_machines import STATION, STORM, FaxMachines, pages_of, until
from tests.system.fax_storm import FaxStorm
from tests.system.mails import mails
from tests.system.worlds import NewWorld
from vm_ari.adapters.asterisk.install import AsteriskInstall
from vm_ari.adapters.fax_sheets import FINISHED, HEAD_ROWS
from vm_ari.adapters.fax_sheets import pages_of as made
from vm_ari.adapters.sealing import KeyRing
from vm_ari.adapters.system_clock import SystemClock
from vm_ari.config import load
from vm_ari.demo.world import World
from vm_ari.domain.fax_orders import Cause, FaxOrder, FaxState
from vm_ari.domain.journal import JournalEntry, Kind, Result, Search, Viewer
from vm_ari.domain.orders import Way
from vm_ari.ports.fax_sending import Paper, Printed
from vm_ari.wiring.faxes import OpenFaxOrdering, open_fax_ordering
from vm_ari.wiring.journal import open_journal_store

SETTINGS = """
[fax_sending]
enabled = true
endpoint = "PJSIP/{{number}}@{trunk}"
lines = 8
ring_seconds = 10
after_busy = [0.02]
after_no_answer = []
after_dropped = [0.02, 0.02]
after_no_fax = []
after_trouble = [0.02, 0.02, 0.02]
"""
BASE = "+49305550"
KILLS = int(os.environ.get("VM_ARI_FAX_KILLS", "1"))
SEED = int(os.environ.get("VM_ARI_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)
"""``VM_ARI_FAX_KILLS=50`` orders more faxes until the controller was killed so often."""
WHOLE = (faxes.page(("Page one",)), faxes.page(("Page two",)), faxes.page(("Page three",)))


def inky(seed: int, rows: int = 36) -> Image.Image:
    """A page that takes some ten seconds to send."""
    dots = np.ones((2200, 1728), dtype=bool)
    dots[200 : 200 + rows] = np.random.default_rng(seed).random((rows, 1728)) > 0.5
    return Image.fromarray(dots)


@dataclass
class Story:
    """What came of everything."""

    world: World
    machines: FaxMachines
    orders: Mapping[str, FaxOrder]
    printed: Mapping[str, Printed]
    by_t38: int
    by_audio: int


@pytest.fixture(scope="module")
def story(
    new_world: NewWorld, asterisk_install: AsteriskInstall, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Story]:
    """It is told once."""
    directory = tmp_path_factory.mktemp("faxes")
    with asyncio.Runner() as runner:
        machines = FaxMachines(asterisk_install, directory)
        runner.run(machines.__aenter__())
        configuration = {"pjsip.conf": machines.trunks()}
        world = new_world(settings=SETTINGS.format(trunk="t38"), extra_configuration=configuration)
        try:
            runner.run(world.__aenter__())
            yield runner.run(_tell(world, machines))
        finally:
            runner.run(world.asterisk.kill())
            runner.run(world.__aexit__(None, None, None))
            runner.run(machines.__aexit__(None, None, None))


async def _tell(world: World, machines: FaxMachines) -> Story:
    config = load(world.config)
    opened = open_fax_ordering(config, KeyRing(config.directory.keys), SystemClock())
    assert opened
    await _order_all(world, opened)
    await _cancel(opened, at.PATIENT)
    await until(lambda: any(_count(fax) for fax in machines.received(at.CUT)))
    await asyncio.sleep(3)  # the second page is on its way
    world.kill_controller()  # and the first fax is, too
    await machines.cut(at.CUT)
    world.configure(SETTINGS.format(trunk="audio"))
    await world.start_controller()
    storm = FaxStorm(world, opened.ordering, random.Random(SEED), KILLS - 1)
    await storm.run()
    await _all_over(opened)
    print(f"VM_ARI_SEED={SEED}: {KILLS} kills, {len(storm.ordered)} more faxes")
    orders = {order.number.removeprefix(BASE): order for order in await opened.ordering.of_user("")}
    printed = {
        number: pages
        for number, order in orders.items()
        if (pages := await opened.ordering.pages(order))
    }
    opened.close()
    sent = [await machines.sent_by(kind) for kind in ("T.38", "G.711")]
    return Story(world, machines, orders, printed, *sent)


async def _order_all(world: World, opened: OpenFaxOrdering) -> None:
    """From the one who has a cover text, and one who sends pictures."""
    anna = world.anna.user
    whole = [Paper("application/pdf", faxes.pdf(WHOLE))]
    cut = [
        Paper("image/tiff", faxes.tiff([faxes.page(("First",)), inky(1), faxes.page(("Last",))]))
    ]
    for number, papers in (
        (at.GOOD, whole),
        (at.CUT, cut),
        *((one, [Paper("text/plain", b"Hello")]) for one in (at.BUSY_ONCE, at.NOBODY, at.VOICE)),
        (at.SILENT, [Paper("image/png", faxes.png(WHOLE[0]))]),
        (at.PATIENT, [Paper("text/plain", b"Hello")]),
    ):
        await opened.ordering.place(anna, number, papers, way=Way.COMMAND)


async def _cancel(opened: OpenFaxOrdering, number: str) -> None:
    """While it rings there."""
    async with asyncio.timeout(60):
        while True:
            orders = await opened.ordering.of_user("")
            [order] = [one for one in orders if one.number == BASE + number]
            if order.state is FaxState.DIALLING:
                return await opened.ordering.cancel(order)
            await asyncio.sleep(0.2)


def _count(fax: Path) -> int:
    try:
        return len(pages_of(fax))
    except (OSError, SyntaxError, ValueError):  # its first page is being written
        return 0


async def _all_over(opened: OpenFaxOrdering) -> None:
    async with asyncio.timeout(120):
        while await opened.orders.going_on():
            await asyncio.sleep(0.5)


def _same(made_here: Sequence[Image.Image], arrived: Sequence[Image.Image]) -> None:
    """Dot by dot, but for the first line of each page."""
    assert len(made_here) == len(arrived)
    for here, there in zip(made_here, arrived, strict=True):
        first, second = np.asarray(here)[HEAD_ROWS:], np.asarray(there)[HEAD_ROWS:]
        assert first.shape == second.shape
        assert (first == second).all()
        assert not np.asarray(there)[:HEAD_ROWS].all(), "without its first line"


@pytest.mark.feature("UM-04")
def test_a_fax_arrives_once_and_whole_though_the_controller_is_killed(story: Story) -> None:
    order = story.orders[at.GOOD]
    assert (order.state, order.pages, order.confirmed, order.calls) == (FaxState.SENT, 3, 3, 1)
    assert order.station == STATION
    [fax] = story.machines.received()
    _same(list(made(FINISHED, story.printed[at.GOOD].tiff, 2286)), pages_of(fax))
    assert story.by_t38 >= 1


@pytest.mark.feature_part("UM-04", "no fax that is sent is lost or doubled by a killed controller")
def test_each_fax_is_sent_once_whenever_the_controller_dies(story: Story) -> None:
    stormy = {number: one for number, one in story.orders.items() if number.startswith(STORM)}
    assert len(stormy) >= (KILLS - 1) / 4
    for number, order in {at.GOOD: story.orders[at.GOOD], **stormy}.items():
        said = (number, order.state, order.cause, order.reason, dict(order.failures))
        assert (order.state, order.confirmed) == (FaxState.SENT, order.pages), said
        [fax] = story.machines.received("" if number == at.GOOD else number)
        _same(list(made(FINISHED, story.printed[number].tiff, 2286)), pages_of(fax))


@pytest.mark.feature_part("UM-04", "a fax whose line is cut goes on with the next page")
def test_after_a_cut_line_only_the_missing_pages_are_sent(story: Story) -> None:
    order = story.orders[at.CUT]
    assert (order.state, order.pages, order.confirmed, order.calls) == (FaxState.SENT, 3, 3, 2)
    _, second = story.machines.received(at.CUT)
    everything = list(made(FINISHED, story.printed[at.CUT].tiff, 2286))
    note, *rest = pages_of(second)
    _same(everything[1:], rest)
    assert np.asarray(note)[HEAD_ROWS:].sum() < np.asarray(note)[HEAD_ROWS:].size
    assert story.by_audio >= 1


@pytest.mark.feature_part("UM-04", "busy, and then not")
def test_a_busy_line_is_called_again(story: Story) -> None:
    order = story.orders[at.BUSY_ONCE]
    assert (order.state, order.calls) == (FaxState.SENT, 2)
    assert dict(order.failures) == {Cause.BUSY: 1}
    [fax] = story.machines.received(at.BUSY_ONCE)
    assert len(pages_of(fax)) == 1


@pytest.mark.parametrize(
    ("number", "cause"),
    [
        (at.NOBODY, Cause.NO_NUMBER),
        (at.VOICE, Cause.NO_FAX),
        (at.SILENT, Cause.NO_ANSWER),
    ],
)
def test_what_cannot_be_sent_says_why(story: Story, number: str, cause: Cause) -> None:
    order = story.orders[number]
    assert (order.state, order.cause, order.confirmed) == (FaxState.FAILED, cause, 0)


def test_what_is_cancelled_rings_no_more(story: Story) -> None:
    order = story.orders[at.PATIENT]
    assert (order.state, order.calls, order.cause) == (FaxState.CANCELLED, 1, None)


@pytest.mark.feature_part("UM-04", "the sender is told, and the journal knows it")
def test_the_sender_has_a_mail_of_each_and_the_journal_an_entry(story: Story) -> None:
    async def told() -> None:
        wanted = {"Fax gesendet", "Fax nicht gesendet"}
        async with asyncio.timeout(30):
            while True:
                found = [str(mail["Subject"]) for mail in mails(story.world, story.world.anna)]
                about = [one for one in found if one.partition(":")[0] in wanted]
                if len(about) >= len(story.orders) - 1:  # who has cancelled one knows
                    assert len(set(about)) == len(about) == len(story.orders) - 1
                    return
                await asyncio.sleep(0.3)

    asyncio.run(told())
    entries = asyncio.run(_journal(story.world))
    assert len(entries) == len(story.orders)
    found = {entry.called: entry.result for entry in entries}
    assert found == {
        **{BASE + one: Result.SENT for one in story.orders if one.startswith(STORM)},
        BASE + at.GOOD: Result.SENT,
        BASE + at.CUT: Result.SENT,
        BASE + at.BUSY_ONCE: Result.SENT,
        BASE + at.NOBODY: Result.FAILED,
        BASE + at.VOICE: Result.FAILED,
        BASE + at.SILENT: Result.NO_ANSWER,
        BASE + at.PATIENT: Result.FAILED,
    }
    [good] = [entry for entry in entries if entry.called.endswith(at.GOOD)]
    assert good.why == "3 of 3 pages in 1 calls"
    assert good.seconds > 0
    left = list((story.world.spool / "fax-out").iterdir())
    assert not left


async def _journal(world: World) -> Sequence[JournalEntry]:
    """Everything that was sent."""
    store = open_journal_store(load(world.config))
    try:
        viewer = Viewer("", everybody=True)
        return await store.page(viewer, Search(kind=Kind.FAX_SENT), limit=1000)
    finally:
        await store.close()
