"""Messages move between Maildirs and a mail server: whole, once, and whatever happens."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.adapters.imap_store import WAYS
from tests.adapters.mailbox_contract import ANNA
from tests.adapters.store_sides import (
    DELETED,
    Lying,
    Stores,
    all_sorts,
    arrival,
    local_side,
    put_local,
    put_remote,
    voice,
)
from tests.dovecot import Dovecot, dovecot
from vm_ari.adapters.migration_journal import Head, MigrationJournal
from vm_ari.domain.store_moving import Fate, MigrationUnusable, StoreKind, Tally


@pytest.fixture(scope="module")
def server() -> Iterator[Dovecot]:
    with dovecot("anna", "bert") as running:
        yield running


@pytest.fixture(autouse=True)
def _empty(server: Dovecot) -> None:
    for user in ("anna", "bert"):
        server.empty(user)
        with server.mail_program(user):
            pass  # others see a mailbox only after its owner had it made


@pytest.fixture
def stores(tmp_path: Path, server: Dovecot) -> Stores:
    return Stores(tmp_path, server)


@pytest.mark.feature_part("STORE-04", "migrate moves messages with folder, flags and date")
@pytest.mark.parametrize("remove", [False, True])
def test_from_maildirs_to_the_mail_server(stores: Stores, remove: bool) -> None:
    sorts = all_sorts()
    put_local(stores.inbox, sorts)
    [tally] = stores.move(remove=remove)
    assert tally == Tally("anna", Fate.DONE, len(sorts), len(sorts), removed=remove * len(sorts))
    assert stores.there() == sorted(sorts)
    assert stores.here() == ([] if remove else sorted(sorts))


@pytest.mark.feature_part("STORE-04", "migrate moves messages with folder, flags and date")
@pytest.mark.parametrize("remove", [False, True])
def test_from_the_mail_server_to_maildirs_only_what_is_ours(stores: Stores, remove: bool) -> None:
    sorts = all_sorts()
    theirs = [Lying("INBOX", (), arrival(20), b"Subject: Lunch\n\nAt noon?\n"),
              Lying("Sent", ("\\Seen",), arrival(21), voice(21))]  # fmt: skip
    put_remote(stores.server, "anna", [*sorts, *theirs])
    [tally] = stores.move(StoreKind.IMAP, remove=remove)
    assert (tally.fate, tally.copied, tally.removed) == (Fate.DONE, 9, 9 * remove)
    assert stores.here() == sorted(sorts)
    assert stores.there() == sorted(theirs if remove else [*sorts, *theirs])


def test_all_else_in_a_maildir_moves_with_it(stores: Stores) -> None:
    more = [Lying("INBOX", ("\\Seen",), arrival(1), b"Subject: Your PIN\n\nIt was renewed.\n"),
            Lying("Archive/Old & new", ("$VoiceMessage",), arrival(2), voice(2))]  # fmt: skip
    put_local(stores.inbox, more[:1])
    put_local(stores.inbox, [replace(more[1], folder="Archive/Old &- new")])
    stores.move()
    assert stores.there() == sorted(more)


@pytest.mark.parametrize("way", WAYS)
def test_every_way_into_a_mailbox_will_do(stores: Stores, way: str) -> None:
    stores.access = WAYS[way]
    sorts = all_sorts()[:6]
    put_local(stores.inbox, sorts)
    assert stores.move(remove=True)[0].fate is Fate.DONE
    assert stores.there() == sorted(sorts)
    stores.forget()
    assert stores.move(StoreKind.IMAP, remove=True)[0].fate is Fate.DONE
    assert stores.here() == sorted(sorts)
    assert stores.there() == []


def test_messages_lie_in_the_folder_that_the_user_has_chosen(stores: Stores) -> None:
    put_local(stores.inbox, all_sorts()[:2])
    stores.move(StoreKind.LOCAL, replace(ANNA, folder="INBOX/Voice"))
    assert {one.folder for one in stores.there()} == {"INBOX/Voice"}


def test_a_second_migration_finds_all_there(stores: Stores) -> None:
    sorts = all_sorts()
    put_local(stores.inbox, sorts)
    stores.move()
    stores.forget()
    [tally] = stores.move(remove=True)
    assert (tally.copied, tally.there, tally.removed) == (0, 9, 9)
    assert stores.there() == sorted(sorts)
    stores.forget()
    put_local(stores.inbox, sorts)
    [tally] = stores.move(StoreKind.IMAP)
    assert (tally.copied, tally.there) == (0, 9)
    assert stores.here() == sorted(sorts)


def test_a_dry_run_says_the_same_and_changes_nothing(stores: Stores) -> None:
    sorts = all_sorts()
    put_local(stores.inbox, sorts)
    put_remote(stores.server, "anna", sorts[:2])
    [tally] = stores.move(dry=True, remove=True)
    assert (tally.found, tally.copied, tally.there, tally.removed) == (9, 7, 2, 0)
    assert (stores.here(), stores.there()) == (sorted(sorts), sorted(sorts[:2]))
    assert not stores.file.exists()


def test_a_journal_of_something_else_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "journal"
    for content in (b"", b"{}\n", b"[]\n", b"nonsense\n", b'{"journal": "vm-ari other"}\n'):
        file.write_bytes(content)
        with pytest.raises(MigrationUnusable, match="no journal of a migration"):
            MigrationJournal.open(file)


def test_a_journal_belongs_to_one_run_at_a_time(tmp_path: Path) -> None:
    file = tmp_path / "journal"
    first = MigrationJournal.create(file, Head("here", StoreKind.LOCAL, False, ("anna",)))
    with pytest.raises(MigrationUnusable, match="another migration works on it"):
        MigrationJournal.open(file)
    first.close()
    second = MigrationJournal.open(file)
    assert second.head.users == ("anna",)
    second.close()
    with pytest.raises(MigrationUnusable, match="cannot be used"):
        MigrationJournal.create(file, first.head)


def test_what_lies_in_maildirs_is_counted_without_knowing_its_owner(stores: Stores) -> None:
    put_local(stores.inbox, all_sorts())
    two = [Lying(folder, (), arrival(1), voice(1)) for folder in ("INBOX", DELETED)]
    put_local(stores.root / "199", two)
    (stores.root / "empty" / "cur").mkdir(parents=True)
    assert local_side(stores.root).leftovers() == {"101": 9, "199": 2}
    assert local_side(stores.root / "nowhere").leftovers() == {}


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give files away")
def test_what_roots_command_makes_belongs_to_the_owner_of_the_store(stores: Stores) -> None:
    stores.root.mkdir()
    shutil.chown(stores.root, "nobody", "nogroup")
    put_remote(stores.server, "anna", all_sorts())
    stores.move(StoreKind.IMAP)
    owners = {(path.owner(), path.group()) for path in [stores.inbox, *stores.inbox.rglob("*")]}
    assert owners == {("nobody", "nogroup")}
    assert stores.here() == sorted(all_sorts())
