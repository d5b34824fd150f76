"""A real Asterisk for the system tests: fetched once for all, one started for each worker."""

import asyncio
import dataclasses
import secrets
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from vm_ari.adapters.asterisk.configuration import Instance, Phone
from vm_ari.adapters.asterisk.install import AsteriskInstall, find_or_fetch
from vm_ari.adapters.asterisk.ports import free_port
from vm_ari.adapters.asterisk.process import PrivateAsterisk
from vm_ari.adapters.asterisk.unavailable import AsteriskUnavailable

PHONES = (Phone("101"), Phone("102", subscribes=True), Phone("103", "secret"), Phone("104"))
SOUNDS = Path(__file__).parents[2] / "sounds"

NewAsterisk = Callable[..., PrivateAsterisk]


@pytest.fixture(scope="session")
def asterisk_install() -> AsteriskInstall:
    """An Asterisk to start; the first worker that needs it fetches it, the others wait."""
    try:
        return find_or_fetch()
    except AsteriskUnavailable as unavailable:
        pytest.skip(str(unavailable))


@pytest.fixture(scope="session")
def new_asterisk(
    asterisk_install: AsteriskInstall, tmp_path_factory: pytest.TempPathFactory
) -> NewAsterisk:
    """Make an Asterisk, not yet started, with a directory and ports of its own.

    Its keywords are the fields of Instance.
    """

    def new(**fields: Any) -> PrivateAsterisk:
        instance = Instance(
            directory=tmp_path_factory.mktemp("asterisk"),
            sip_port=free_port(socket.SOCK_DGRAM),
            http_port=free_port(),
            ari_password=secrets.token_urlsafe(12),
        )
        return PrivateAsterisk(asterisk_install, dataclasses.replace(instance, **fields))

    return new


@pytest.fixture(scope="session")
def asterisk(new_asterisk: NewAsterisk) -> Iterator[PrivateAsterisk]:
    """One started Asterisk with the shipped prompts and four phones, for a whole worker.

    Tests share it: each has its own mailboxes or its own ARI application, and leaves no channels.
    """
    shared = new_asterisk(phones=PHONES, sounds=SOUNDS)
    asyncio.run(shared.start())
    yield shared
    asyncio.run(shared.kill())  # stop() would wait for channels that a failed test has left
