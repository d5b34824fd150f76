"""What was measured, in the words of Prometheus: made when somebody asks for it, and only then."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from itertools import accumulate

from prometheus_client import CollectorRegistry, PlatformCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import choose_encoder

from vm_ari.adapters.metrics_process import ProcessMeasures
from vm_ari.measures import TALLIES, TIMES, Gauge, Tally, Times

Read = Callable[[], Awaitable[Sequence[Gauge]]]
"""Looks at everything that is a state, not a count. May not raise."""


class Exposition:
    """All measures of this process as text."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._one_at_a_time = asyncio.Lock()
        self._registry = CollectorRegistry(auto_describe=False)
        self._gauges: Sequence[Gauge] = ()
        self._registry.register(self)
        self._registry.register(ProcessMeasures())
        PlatformCollector(registry=self._registry)

    async def text(self, accepted: str) -> tuple[bytes, str]:
        """As an ``Accept`` field of HTTP wants it; its media type."""
        encode, media_type = choose_encoder(accepted)
        async with self._one_at_a_time:
            self._gauges = await self._read()
            return encode(self._registry), media_type

    def collect(self) -> Iterator[Metric]:
        """The registry's question."""
        yield from map(_counter, TALLIES)
        yield from map(_histogram, TIMES)
        yield from map(_gauge, self._gauges)


def _counter(tally: Tally) -> Metric:
    family = CounterMetricFamily(tally.name, tally.text, labels=tally.labels)
    for labels, number in tally.rows().items():
        family.add_metric(labels, number)
    return family


def _histogram(times: Times) -> Metric:
    family = HistogramMetricFamily(times.name, times.text, labels=times.labels)
    ends = [*(f"{end:g}" for end in times.classes), "+Inf"]
    for labels, (counts, total) in times.rows().items():
        buckets = list(zip(ends, map(float, accumulate(counts)), strict=True))
        family.add_metric(labels, buckets, sum_value=total)
    return family


def _gauge(gauge: Gauge) -> Metric:
    family = GaugeMetricFamily(gauge.name, gauge.text, labels=gauge.labels)
    for labels, value in gauge.rows.items():
        family.add_metric(labels, value)
    return family
