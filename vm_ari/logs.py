"""One line per decision, on standard error, for journald or a file; never content or PINs."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from structlog.typing import Processor


def write_logs(level: str, *more: Processor) -> None:
    """Send our log lines to standard error from *level* on (debug, info, warning, error).

    *more* see each of them, too.
    """
    structlog.configure(
        processors=[
            *more,
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=False),
            structlog.processors.format_exc_info,
            structlog.processors.LogfmtRenderer(key_order=("timestamp", "level", "event")),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


@contextmanager
def logs_of_command(level: str) -> Iterator[None]:
    """While a command runs: warnings, or all where debug is wanted; its results go elsewhere."""
    before = structlog.get_config()
    write_logs("debug" if level == "debug" else "warning")
    try:
        yield
    finally:
        structlog.configure(**before)
