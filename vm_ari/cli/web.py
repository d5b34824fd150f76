"""``vm-ari web``: the portal by itself, without calls."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from vm_ari.cli.opening import config_option, configured, reported

if TYPE_CHECKING:
    from vm_ari.config import Config


@click.command()
@config_option
def web(path: Path) -> None:
    """Serve the portal alone, until stopped: beside the controller, or on another machine.

    The key files of the controller are needed. Mails are put into the queue that the controller
    on this machine sends from.
    """
    import asyncio
    from functools import partial

    from vm_ari.adapters.login_log import LoginLog
    from vm_ari.logs import write_logs

    with reported():
        config = configured(path)
        log = config.logins.log
        write_logs(config.log_level, *([LoginLog(log)] if log else []), file=config.logs.file)
        asyncio.run(partial(_until_stopped, config)())


async def _until_stopped(config: "Config") -> None:
    import asyncio
    import signal

    task = asyncio.current_task()
    assert task
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, task.cancel)
    try:
        await _serve(config)
    except asyncio.CancelledError:
        return


async def _serve(config: "Config") -> None:
    import asyncio
    from contextlib import AsyncExitStack

    from vm_ari.adapters.sealing import KeyRing
    from vm_ari.adapters.system_clock import SystemClock
    from vm_ari.wiring.directories import open_directories, open_greetings
    from vm_ari.wiring.logs import follow_level
    from vm_ari.wiring.mail import open_post
    from vm_ari.wiring.store import open_store
    from vm_ari.wiring.surroundings import Surroundings
    from vm_ari.wiring.web import the_portal

    keys, clock = KeyRing(config.directory.keys), SystemClock()
    async with AsyncExitStack() as closing:
        directories = open_directories(config, keys, clock)
        closing.push_async_callback(directories.close)
        work = config.spool.directory / "listening"
        await asyncio.to_thread(work.mkdir, parents=True, exist_ok=True)
        store = open_store(config, keys, directories.register, work)
        closing.push_async_callback(store.close)
        post = open_post(
            config, keys, clock, directories.for_calls, directories.register, doorman=store.doorman
        )
        closing.push_async_callback(post.close)
        greetings = open_greetings(config)
        closing.push_async_callback(greetings.close)
        portal = the_portal(
            config,
            Surroundings(
                keys,
                clock,
                directories,
                mailboxes=store.mailboxes,
                greetings=greetings,
                notices=post.mails,
            ),
        )
        closing.push_async_callback(portal.close)
        async with asyncio.TaskGroup() as parts:
            parts.create_task(portal.run(), name="portal")
            parts.create_task(follow_level(config), name="log level")
