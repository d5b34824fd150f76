"""Who watches over this controller: metrics, health and the service manager, as configured."""

import asyncio
import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from vm_ari.adapters.ari.application import AriApplication
from vm_ari.adapters.metrics_disk import counted, free_bytes, oldest
from vm_ari.adapters.metrics_server import MetricsServer
from vm_ari.adapters.pulse import Pulse
from vm_ari.adapters.service_manager import service_manager
from vm_ari.adapters.spool import MIN_FREE
from vm_ari.config import Config
from vm_ari.domain.delivery import Attempts
from vm_ari.domain.messages import CallFacts
from vm_ari.measures import Gauge
from vm_ari.ports import Directory
from vm_ari.services.health import Health, Part
from vm_ari.services.watching import Watch
from vm_ari.wiring.faxes import FOLDER as FAX_ORDERS

NOBODYS_NUMBER = "+999999999999999"
"""No country has that code (ITU-T E.164): the directory is asked whose it is, and says nobody's."""


@dataclass(frozen=True)
class Watched:
    """The parts of the controller that are looked at."""

    ari: AriApplication
    directory: Directory
    waiting: Callable[[], Sequence[tuple[CallFacts, Attempts]]]
    """Messages that are to be delivered."""
    watch: Watch
    node: str


class Observation:
    """To be run beside everything else; nothing depends on it."""

    def __init__(self, config: Config, watched: Watched) -> None:
        self._config = config
        self._watched = watched
        self._pulse = Pulse(service_manager(), self._status)
        self.health = Health(
            (
                Part("asterisk", self._asterisk),
                Part("directory", self._directory),
                Part("spool", self._spool),
                Part("message store", self._store, needed=False),
            )
        )
        self.server = self._server() if config.metrics.enabled else None

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as parts:
            parts.create_task(self._pulse.run(), name="pulse")
            if self.server:
                parts.create_task(self.server.run(), name="metrics")

    def _server(self) -> MetricsServer:
        from vm_ari.adapters.metrics import Exposition  # who wants no metrics need not wait for it

        table = self._config.metrics
        exposition = Exposition(lambda: _Gauges(self._config, self._watched, self).read())
        return MetricsServer(
            table.address,
            table.port,
            table.bearer(),
            metrics=exposition.text,
            ready=self._ready,
        )

    @property
    def lateness(self) -> float:
        """Seconds that the event loop was late at the worst, within the latest minute."""
        return self._pulse.latest

    async def _ready(self) -> tuple[bool, Sequence[str]]:
        report = await self.health.report()
        return report.ready, [str(one) for one in report.states]

    def _status(self) -> str:
        """For ``systemctl status``."""
        ari = self._watched.ari
        if not ari.connection.ready.is_set():
            return f"Waiting for Asterisk at {self._config.asterisk.url}"
        return f"Connected to Asterisk, calls: {ari.calls}"

    # --- what can be missing

    async def _asterisk(self) -> str:
        if self._watched.ari.connection.ready.is_set():
            return ""
        return f"no connection to {self._config.asterisk.url}; see “vm-ari check”"

    async def _directory(self) -> str:
        await self._watched.directory.user_by_number(NOBODYS_NUMBER)
        return ""

    async def _spool(self) -> str:
        return await asyncio.to_thread(_spool_fault, self._config.spool.directory)

    async def _store(self) -> str:
        number = self._watched.watch.uncounted
        return f"mailboxes that cannot be opened: {number}" if number else ""


def _spool_fault(root: Path) -> str:
    if not os.access(root / "open", os.W_OK | os.X_OK):
        return f"{root} cannot be written; see “vm-ari check”"
    free = free_bytes(root)
    if free < MIN_FREE:
        return f"only {free / 1_000_000:.0f} MB are left on the disk of {root}"
    return ""


class _Gauges:
    """What is now so much; read for one scrape."""

    def __init__(self, config: Config, watched: Watched, observation: Observation) -> None:
        self._config = config
        self._watched = watched
        self._observation = observation

    async def read(self) -> Sequence[Gauge]:
        """Raises nothing: a disk that cannot be read has no items."""
        report = await self._observation.health.report()
        queues = await asyncio.to_thread(self._queues)
        parts: dict[tuple[str, ...], float] = {
            (one.name,): float(not one.fault) for one in report.states
        }
        return (
            *self._controller(),
            Gauge("vm_ari_part_up", "Does that part work?", parts, ("part",)),
            Gauge("vm_ari_ready", "Can calls be served?", {(): float(report.ready)}),
            *queues,
        )

    def _controller(self) -> Sequence[Gauge]:
        ari, watch = self._watched.ari, self._watched.watch
        who = (version("vm-ari"), self._watched.node, platform.python_version())
        connected = float(ari.connection.ready.is_set())
        late = self._observation.lateness
        return (
            Gauge(
                "vm_ari_build_info",
                "Which program this is, and its name among others.",
                {who: 1.0},
                ("version", "node", "python"),
            ),
            _single("vm_ari_asterisk_connected", "Do calls come in?", connected),
            _single("vm_ari_calls_active", "Lines that are served now.", ari.calls),
            _single("vm_ari_loop_lateness_seconds", "The worst of the latest minute.", late),
            _single("vm_ari_mailboxes_watched", "Of the latest round.", watch.watched),
            _single("vm_ari_mailboxes_uncounted", "Could not be counted.", watch.uncounted),
        )

    def _queues(self) -> Sequence[Gauge]:
        """By looking at directories. Blocks."""
        spool = self._config.spool.directory
        mails = self._config.mail.queue or spool / "system-mails"
        roots = {"voice": spool, "mail": mails, "notice": spool / "notices"}
        states = {"waiting": "new", "held": "hold", "corrupt": "corrupt"}
        items: dict[tuple[str, ...], float] = {
            (queue, state): counted(root / name)
            for queue, root in roots.items()
            for state, name in states.items()
        }
        items["fax", "waiting"] = counted(spool / FAX_ORDERS / "open")
        items["voice", "recording"] = counted(spool / "open")
        items["voice", "fallback"] = counted(spool / "fallback")
        now = datetime.now(UTC)
        begun = [facts.started for facts, _ in self._watched.waiting()]
        ages: dict[tuple[str, ...], float] = {
            ("voice",): max((now - min(begun, default=now)).total_seconds(), 0.0)
        }
        waits = {"mail": mails / "new", "notice": spool / "notices" / "new"}
        waits["fax"] = spool / FAX_ORDERS / "open"
        for queue, directory in waits.items():
            since = oldest(directory)
            ages[queue,] = max(now.timestamp() - since, 0.0) if since else 0.0
        return (
            Gauge("vm_ari_queue_items", "In the queues on the disk.", items, ("queue", "state")),
            Gauge("vm_ari_queue_oldest_seconds", "Age of the oldest.", ages, ("queue",)),
            _single("vm_ari_spool_free_bytes", "On the spool's disk.", free_bytes(spool)),
        )


def _single(name: str, text: str, value: float) -> Gauge:
    return Gauge(name, text, {(): value})


def open_observation(config: Config, watched: Watched) -> Observation:
    """Nothing listens yet."""
    return Observation(config, watched)
