"""A listing that is kept from look to look says what a new one would say."""

import os
import random
import threading
import time
from pathlib import Path

import pytest

from vm_ari.adapters import maildir_listing
from vm_ari.adapters.maildir_listing import Listing, Listings
from vm_ari.adapters.maildir_tree import Folder

UIDS = ("1.a.host", "2.b.host", "3.voice-x.vm-ari", "4.voice-y.vm-ari", ".5.hidden")
FLAGS = ("", ":2,", ":2,S", ":2,FS", ":2,T", ":2,ST")


def folder_in(tmp_path: Path) -> Folder:
    folder = Folder(tmp_path / "101")
    folder.create()
    return folder


def agrees(listing: Listing, folder: Folder) -> None:
    """Of two files of one message either may be it."""
    look, expected = listing.look(), folder.entries()
    found = {entry.uid: entry for entry in look.entries}
    paths = [f"{directory}/{name}" for directory, name in folder.names()]
    assert found.keys() == expected.keys()
    for uid, entry in found.items():
        assert entry.path in paths
        twins = [path for path in paths if Path(path).name.partition(":")[0] == uid]
        assert entry == expected[uid] or len(twins) > 1
    assert set(look.sure) == {u for u, e in found.items() if e.new or e.is_own_voice}
    assert all(uid in look for uid in expected)


def one_change(folder: Folder, chance: random.Random) -> None:
    """Somebody brings, renames, copies or removes a message."""
    names = folder.names()
    target = folder.path / chance.choice(("new", "cur")) / (chance.choice(UIDS))
    target = target.with_name(target.name + chance.choice(FLAGS))
    match chance.randrange(4):
        case 0:
            target.touch()
        case 1 if names:
            Path(*chance.choice(names)).rename(target)
        case 2 if names:
            Path(*chance.choice(names)).unlink()
        case _:
            pass


def test_it_says_what_a_new_listing_says_whatever_others_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maildir_listing, "SETTLED", 0.02)
    seed = random.randrange(1 << 30)
    print("seed", seed)
    chance, folder = random.Random(seed), folder_in(tmp_path)
    listing = Listing(folder)
    for _ in range(1500):
        for _ in range(chance.randrange(4)):
            one_change(folder, chance)
        if not chance.randrange(50):
            time.sleep(0.03)  # so that the next look can be the last one before a change
            listing.look()
        agrees(listing, folder)


def test_a_folder_that_rests_is_not_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maildir_listing, "SETTLED", 0.05)
    folder = folder_in(tmp_path)
    (folder.path / "new" / UIDS[0]).touch()
    listing, read = Listing(folder), 0
    names = folder.names

    def counting() -> list[tuple[str, str]]:
        nonlocal read
        read += 1
        return names()

    monkeypatch.setattr(folder, "names", counting)
    listing.look()
    listing.look()
    assert read == 2, "a change could still hide behind the same time"
    time.sleep(0.06)
    assert listing.look() is listing.look()
    assert read == 3
    (folder.path / "new" / UIDS[0]).rename(folder.path / "cur" / f"{UIDS[0]}:2,S")
    assert UIDS[0] in listing.look().others
    assert read == 4


def test_threads_may_look_while_others_change(tmp_path: Path) -> None:
    folder, stop = folder_in(tmp_path), threading.Event()
    listing, problems = Listing(folder), list[BaseException]()

    def look() -> None:
        try:
            while not stop.is_set():
                for entry in listing.look().entries:
                    assert entry.uid in UIDS
        except BaseException as error:
            problems.append(error)

    threads = [threading.Thread(target=look) for _ in range(3)]
    for thread in threads:
        thread.start()
    chance = random.Random(7)
    for _ in range(300):
        one_change(folder, chance)
    stop.set()
    for thread in threads:
        thread.join()
    assert not problems
    agrees(listing, folder)


def test_the_mailbox_used_longest_ago_is_forgotten(tmp_path: Path) -> None:
    folders = [folder_in(tmp_path / name) for name in ("a", "b", "c")]
    listings = Listings(limit=2)
    kept = [listings.of(folder) for folder in folders]
    for folder, listing in zip(folders, kept, strict=True):
        (folder.path / "new" / UIDS[0]).touch()
        listing.look()
    assert listings.of(folders[2]) is kept[2]
    assert listings.of(folders[1]) is kept[1]
    assert listings.of(folders[0]) is not kept[0]
    assert os.listdir(folders[0].path / "new")  # noqa: PTH208
