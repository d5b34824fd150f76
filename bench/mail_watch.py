"""A mail program that sees when messages come: by asking all the time, and by being told (IDLE)."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from imapclient import IMAPClient

EVERY = 0.002
"""Seconds between two questions; so exact is the moment."""
_LOOK = 0.2
"""Seconds after which a listener looks whether it is still needed."""

ASKED, TOLD = "mailbox, asked by NOOP", "mailbox, told by IDLE"

Note = Callable[[str], None]


@dataclass(frozen=True)
class Login:
    """Whose mailbox, and where."""

    port: int
    user: str
    password: str

    @contextmanager
    def inbox(self) -> Iterator[IMAPClient]:
        """A connection of its own, in which the INBOX is open."""
        with IMAPClient("127.0.0.1", self.port, ssl=False, timeout=30) as client:
            client.login(self.user, self.password)
            client.select_folder("INBOX", readonly=True)
            yield client


@contextmanager
def watching(login: Login, note: Note) -> Iterator[None]:
    """Call *note* with `ASKED` and with `TOLD` for every message that comes; in threads."""
    over = threading.Event()
    threads = [
        threading.Thread(target=_in_mailbox, args=(login, story, note, over))
        for story in (_asks, _is_told)
    ]
    with ExitStack() as ends:
        for thread in threads:
            thread.start()
            ends.callback(thread.join)
        ends.callback(over.set)
        yield


def _in_mailbox(
    login: Login,
    story: Callable[[IMAPClient, Note, threading.Event], None],
    note: Note,
    over: threading.Event,
) -> None:
    with login.inbox() as client:
        story(client, note, over)


def _asks(client: IMAPClient, note: Note, over: threading.Event) -> None:
    while not over.is_set():
        _, news = client.noop()
        if _came(news):
            note(ASKED)
        time.sleep(EVERY)


def _is_told(client: IMAPClient, note: Note, over: threading.Event) -> None:
    client.idle()
    while not over.is_set():
        if _came(client.idle_check(timeout=_LOOK)):
            note(TOLD)
    client.idle_done()


def _came(news: object) -> bool:
    """Does the server say that there are more mails than before?"""
    return isinstance(news, list) and any(
        isinstance(one, tuple) and b"EXISTS" in one for one in news
    )
