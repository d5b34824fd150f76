"""``vm-ari run``: serve calls."""

from pathlib import Path

import click

DEFAULT_CONFIG = "/etc/vm-ari/vm-ari.toml"
EXIT_BAD_CONFIG = 3


@click.command()
@click.option(
    "-c",
    "--config",
    "path",
    type=click.Path(path_type=Path),
    default=DEFAULT_CONFIG,
    show_default=True,
    help="Configuration file.",
)
def run(path: Path) -> None:
    """Serve calls, deliver messages, light lamps, until stopped."""
    from vm_ari.adapters.login_log import LoginLog
    from vm_ari.config import BadConfig, load
    from vm_ari.logs import write_logs

    try:
        config = load(path)
    except BadConfig as error:
        click.echo(error, err=True)
        raise SystemExit(EXIT_BAD_CONFIG) from None
    logins = [LoginLog(config.logins.log)] if config.logins.log else []
    write_logs(config.log_level, *logins, file=config.logs.file)
    _serve(config)


def _spare_the_collector() -> None:
    """What stays until the end is not looked through again and again.

    Each round through all of it made every caller wait for a quarter of a second. Most objects that
    a call makes do not outlive it: looking for rings among them three times a call cost 0.7 ms.
    """
    import gc

    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


def _let_calls_go_first() -> None:
    """The event loop waits for the interpreter at most so long (in seconds) while a thread works.

    It gives it away with each packet that it sends: at 40 calls a second, Python's own 5 ms made
    callers wait for half a second while half of the processors was idle.
    """
    import sys

    sys.setswitchinterval(0.0001)


def _serve(config: object) -> None:
    import asyncio
    import signal

    from vm_ari.adapters.sealing import KeysUnusable
    from vm_ari.app import Node
    from vm_ari.config import BadConfig, Config
    from vm_ari.ports import SpoolFull, SpoolInUse
    from vm_ari.wiring.moving import tell_leftovers

    assert isinstance(config, Config)

    async def until_stopped() -> None:
        looking = asyncio.create_task(asyncio.to_thread(tell_leftovers, config))
        whole = Node(config)
        _spare_the_collector()
        _let_calls_go_first()
        node = asyncio.create_task(whole.run())
        for name in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(name, node.cancel)
        try:
            await node
        except asyncio.CancelledError:
            return
        finally:
            looking.cancel()

    try:
        asyncio.run(until_stopped())
    except BadConfig as error:
        click.echo(error, err=True)
        raise SystemExit(EXIT_BAD_CONFIG) from None
    except (KeysUnusable, SpoolInUse) as error:
        click.echo(error, err=True)
        raise SystemExit(1) from None
    except SpoolFull as error:
        click.echo(f"the spool cannot be used: {error}", err=True)
        raise SystemExit(1) from None
