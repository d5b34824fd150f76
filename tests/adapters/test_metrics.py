"""What is measured reaches Prometheus, and strangers only as far as they may know it."""

import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families as families

from tests.clock import run_virtually
from vm_ari.adapters.metrics import Exposition
from vm_ari.adapters.metrics_disk import counted, oldest
from vm_ari.adapters.metrics_server import MetricsServer
from vm_ari.measures import MOST_ROWS, OTHER, SERVER_FAILURES, SERVERS, Asking, Gauge, Tally, Times

TOKEN = "0123456789abcdef"
WAITING = Gauge("vm_ari_queue_items", "Waiting.", {("voice", "held"): 3.0}, ("queue", "state"))


async def gauges() -> Sequence[Gauge]:
    return (WAITING,)


async def nothing() -> Sequence[Gauge]:
    return ()


def test_a_tally_counts_from_any_thread_and_never_grows_without_end() -> None:
    tally = Tally("x", "y", "which")

    def work() -> None:
        for number in range(1000):
            tally.add(str(number % 300))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rows = tally.rows()
    assert sum(rows.values()) == 4000
    assert len(rows) == MOST_ROWS + 1
    assert rows[(OTHER,)] > 0


def test_times_fall_into_their_classes_and_a_clock_that_was_set_back_gives_none() -> None:
    times = Times("x", "y", classes=(0.1, 1.0))
    for seconds in (-5.0, 0.1, 0.5, 7.0):
        times.note(seconds)
    [(counts, total)] = times.rows().values()
    assert list(counts) == [2, 1, 1]
    assert total == pytest.approx(7.6)


def test_a_refusal_is_an_answer_but_silence_is_a_failure() -> None:
    with pytest.raises(ValueError), Asking("test-server", OSError):
        raise ValueError("the server says no")
    with pytest.raises(TimeoutError), Asking("test-server", OSError):
        raise TimeoutError
    assert SERVER_FAILURES.rows()[("test-server",)] == 1
    assert sum(SERVERS.rows()[("test-server",)][0]) == 1


@pytest.mark.parametrize("accepted", ["", "application/openmetrics-text; version=1.0.0", "*/*"])
def test_prometheus_can_read_it_in_each_of_its_forms(accepted: str) -> None:
    server = f"test {accepted}"
    SERVERS.note(0.002, server)
    text, media_type = run_virtually(Exposition(gauges).text(accepted))
    assert ("openmetrics" in media_type) == ("openmetrics" in accepted)
    if accepted.startswith("application/openmetrics"):
        assert text.endswith(b"# EOF\n")
        return
    found = {family.name: family for family in families(text.decode())}
    [held] = found["vm_ari_queue_items"].samples
    assert (held.labels, held.value) == ({"queue": "voice", "state": "held"}, 3.0)
    buckets = {
        sample.labels["le"]: sample.value
        for sample in found["vm_ari_server_seconds"].samples
        if sample.labels.get("server") == server and sample.name.endswith("_bucket")
    }
    assert (buckets["0.001"], buckets["0.0025"], buckets["+Inf"]) == (0.0, 1.0, 1.0)
    assert found["process_resident_memory_bytes"].samples[0].value > 1_000_000


def test_what_a_label_says_cannot_break_the_text() -> None:
    async def hostile() -> Sequence[Gauge]:
        return (Gauge("vm_ari_x", "y", {('a"\n} 1\nvm_ari_forged 7',): 1.0}, ("l",)),)

    text, _ = run_virtually(Exposition(hostile).text(""))
    assert "vm_ari_forged" not in {family.name for family in families(text.decode())}


def test_a_stranger_learns_yes_or_no_only() -> None:
    async def ready() -> tuple[bool, Sequence[str]]:
        return False, ["MISSING directory: ldap.example.org refuses"]

    async def story() -> None:
        server = MetricsServer("127.0.0.1", 0, TOKEN, metrics=Exposition(nothing).text, ready=ready)
        serving = asyncio.create_task(server.run())
        while not server.port:
            await asyncio.sleep(0.01)
        base, known = f"http://127.0.0.1:{server.port}", {"Authorization": f"Bearer {TOKEN}"}
        async with aiohttp.ClientSession(base) as asking:

            async def get(path: str, **headers: str) -> tuple[int, str]:
                async with asking.get(path, headers=headers) as answer:
                    return answer.status, await answer.text()

            assert (await get("/metrics"))[0] == 401
            assert (await get("/metrics", Authorization="Bearer wrong-but-as-long"))[0] == 401
            assert (await get("/metrics", Authorization=f"Basic {TOKEN}"))[0] == 401
            status, text = await get("/metrics", **known)
            assert (status, "vm_ari_log_lines" in text) == (200, True)
            assert await get("/healthz") == (200, "alive\n")
            assert await get("/readyz") == (503, "not ready\n")
            status, text = await get("/readyz", **known)
            assert text.splitlines() == ["not ready", "MISSING directory: ldap.example.org refuses"]
            assert (await get("/"))[0] == 404
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
        assert server.port == 0

    asyncio.run(story())


def test_names_on_the_disk_are_counted_and_what_is_not_there_counts_nothing(tmp_path: Path) -> None:
    for name in ("a", "b", ".half"):
        (tmp_path / name).write_text("")
    assert counted(tmp_path) == 2
    assert oldest(tmp_path) is not None
    assert (counted(tmp_path / "no"), oldest(tmp_path / "no")) == (0, None)
