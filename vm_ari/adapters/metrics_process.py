"""Memory, processor time and files of this process, under the names that Prometheus has for them.

The client's own collector wants ``/proc/stat``, which a confined service does not see.
"""

import resource
import time
from collections.abc import Iterator
from pathlib import Path

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

_SELF = Path("/proc/self")
BEGAN = time.time()
"""When the program was loaded."""


class ProcessMeasures:
    """A collector; what the system does not tell is left out."""

    def collect(self) -> Iterator[Metric]:
        """The registry's question."""
        yield CounterMetricFamily(
            "process_cpu_seconds", "Processor time, of all threads.", time.process_time()
        )
        yield GaugeMetricFamily("process_start_time_seconds", "Since 1970.", BEGAN)
        most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        yield GaugeMetricFamily("process_max_fds", "Files that may be open.", most)
        try:
            files = sum(1 for _ in (_SELF / "fd").iterdir())
            virtual, resident = (int(one) for one in (_SELF / "statm").read_text().split()[:2])
        except (OSError, ValueError):
            return
        page = resource.getpagesize()
        yield GaugeMetricFamily("process_open_fds", "Files that are open.", files)
        yield GaugeMetricFamily("process_virtual_memory_bytes", "Address space.", virtual * page)
        yield GaugeMetricFamily("process_resident_memory_bytes", "Memory.", resident * page)
