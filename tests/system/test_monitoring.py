"""A real call is measured from its arrival to the mailbox, and whoever watches can read it."""

import asyncio
import json
import re
from collections.abc import Mapping
from pathlib import Path

import aiohttp
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families as families

from tests.patience import AT_MOST
from tests.system.callers import BEEP, babble, calling
from tests.system.mails import arrived
from tests.system.worlds import somebody
from vm_ari.demo.world import World
from vm_ari.measures import TALLIES, TIMES

Sample = tuple[str, frozenset[tuple[str, str]]]


async def asked(world: World, path: str) -> tuple[int, str]:
    """What the controller answers there; its log tells the port."""
    log = world.controller_log.read_text(encoding="utf-8", errors="replace")
    port = re.findall(r'event="metrics and health".* port=([0-9]+)', log)[-1]
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}/{path}") as answer,
    ):
        return answer.status, await answer.text()


async def scraped(world: World) -> Mapping[Sample, float]:
    """Every sample by name and labels, which Prometheus would store."""
    status, text = await asked(world, "metrics")
    assert status == 200
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families(text)
        for sample in family.samples
    }


def sample(name: str, **labels: str) -> Sample:
    return name, frozenset(labels.items())


MESSAGE_LEFT = sample("vm_ari_calls_total", kind="call", result="message-left")
ANSWERED = sample("vm_ari_answer_seconds_count")
DELIVERED = sample("vm_ari_deliveries_total", result="delivered")
WRONG_PIN = sample("vm_ari_logins_total", place="telephone", result="wrong")
ASKED_OF_ASTERISK = sample("vm_ari_server_seconds_count", server="asterisk")
ASKED_OF_DATABASE = sample("vm_ari_server_seconds_count", server="database")


@pytest.mark.feature("OPS-03")
def test_a_call_a_delivery_and_a_wrong_pin_are_counted_and_nobody_is_named(world: World) -> None:
    async def story() -> None:
        person = await somebody(world)
        before = await scraped(world)
        async with world.outside_phone() as phone:
            async with calling(phone, person.number) as caller:
                number = caller.number
                await caller.presses("0")
                await caller.hears(BEEP)
                await caller.speaks(babble(2.6, 11))
            await arrived(world, person)
            async with calling(phone, person.number) as thief:
                await thief.presses("*000000#", ms=60)
                await counted(world, before, WRONG_PIN)
        for what in (MESSAGE_LEFT, ANSWERED, DELIVERED, ASKED_OF_ASTERISK, ASKED_OF_DATABASE):
            await counted(world, before, what)
        after = await scraped(world)
        assert after[sample("vm_ari_asterisk_connected")] == 1
        assert after[sample("vm_ari_mailboxes_watched")] >= 2
        assert after[sample("vm_ari_queue_items", queue="voice", state="corrupt")] == 0
        answers = after[sample("vm_ari_answer_seconds_sum")] / after[ANSWERED]
        assert 0 < answers < 30
        status, text = await asked(world, "readyz")
        assert (status, text.splitlines()[0]) == (200, "ready")
        values = {value for _, labels in after for _, value in labels}
        assert not values & {person.number, person.extension, person.user.id, number}
        assert not [value for value in values if person.number[1:] in value]

    asyncio.run(story())


async def counted(world: World, before: Mapping[Sample, float], what: Sample) -> None:
    """It has become more."""
    async with asyncio.timeout(AT_MOST):
        while (await scraped(world)).get(what, 0) <= before.get(what, 0):
            await asyncio.sleep(0.1)


MONITORING = Path(__file__).parents[2] / "packaging" / "monitoring"
NAME = re.compile(r"\b(?:vm_ari|process)_[a-z_]+\b")


def names_of_dashboard() -> set[str]:
    """Of all its questions."""
    dashboard = json.loads((MONITORING / "grafana-dashboard.json").read_text(encoding="utf-8"))
    asked = [query["expr"] for panel in dashboard["panels"] for query in panel.get("targets", ())]
    asked += [one["expr"] for one in dashboard["annotations"]["list"]]
    asked += [one["query"] for one in dashboard["templating"]["list"]]
    return set(NAME.findall(" ".join(asked)))


def names_of_alerts() -> set[str]:
    rules = yaml.safe_load((MONITORING / "alerts.yml").read_text(encoding="utf-8"))
    return set(NAME.findall(" ".join(rule["expr"] for rule in rules["groups"][0]["rules"])))


@pytest.mark.feature_part("OPS-03", "alerts and dashboard ask for what there is")
def test_alerts_and_dashboard_ask_for_nothing_that_a_controller_does_not_tell(world: World) -> None:
    _, text = asyncio.run(asked(world, "metrics"))
    suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}
    told = {
        family.name + suffix
        for family in families(text)
        for suffix in suffixes.get(family.type, ("",))
    }
    wanted = names_of_alerts() | names_of_dashboard()
    assert len(names_of_alerts()) > 12
    assert wanted <= told
    ours = {name for name in told if name.startswith("vm_ari_") and not name.endswith("_sum")}
    shown = {re.sub("_(bucket|count)$", "", name) for name in names_of_dashboard()}
    assert {re.sub("_(bucket|count)$", "", name) for name in ours} <= shown, "on no panel"


@pytest.mark.feature_part("OPS-03", "each alert is explained")
def test_each_alert_is_explained_in_the_guide() -> None:
    guide = (MONITORING.parents[1] / "docs" / "monitoring.md").read_text(encoding="utf-8")
    rules = yaml.safe_load((MONITORING / "alerts.yml").read_text(encoding="utf-8"))
    alerts = {rule["alert"] for rule in rules["groups"][0]["rules"]}
    assert set(re.findall(r"`(VmAri\w+)`", guide)) == alerts
    assert {f"`{measure.name}" for measure in (*TALLIES, *TIMES)} <= set(
        re.findall(r"`vm_ari_\w+?(?=_total`|`)", guide)
    )
