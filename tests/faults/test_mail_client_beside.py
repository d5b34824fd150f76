"""A mail program works at random on the mailbox through which a user walks by telephone.

The dialogue is the real one, on a line in memory and the virtual clock; the mailbox is real: a
Dovecot, or a Maildir. The mail program does something between two keys, and also between any two
commands (or file operations) of ours. A ledger knows who has done what, and the judge is the
user's own knowledge: whoever hears message 5 and presses the key that deletes can only mean 5.

    python -m tests.faults.test_mail_client_beside dovecot 100000

takes more steps than the test does, and connections break meanwhile; a third number is the seed of
the first call.
"""

import asyncio
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.adapters.imap_store import imap_store
from tests.adapters.maildir_store import maildir_store
from tests.dialogues.exchange import Exchange
from tests.dovecot import dovecot
from tests.faults.mail_listener import WATCH, Sounds, Walker, names, some_faster
from tests.faults.mail_programs import (
    DELETED,
    INBOX,
    ImapProgram,
    Lab,
    Ledger,
    MaildirProgram,
    mails_of_all_kinds,
    voice_mail,
)
from vm_ari.domain.settings import Deletion, InformationOrder, Rules
from vm_ari.services.inbox import Inboxes
from vm_ari.services.lamps import LampKeeper
from vm_ari.speech.catalogue import P

STEPS, STEPS_OF_A_CALL = {"dovecot": 1200, "maildir": 2500}, 250
MOST = 3
"""Times as many, if something rare has not come in them."""
CUTS = 0.0005


@pytest.fixture(scope="session", autouse=True)
def _watched() -> None:
    sys.addaudithook(WATCH)


@contextmanager
def on_dovecot(mails: dict[int, bytes], work: Path) -> Iterator[Lab]:
    with dovecot("anna") as server:
        program = ImapProgram(server)
        store = imap_store(server, work=work)
        try:
            yield Lab(server.mail_directory("anna") / "Maildir", store.mailboxes, program, mails)
        finally:
            program.close()
            asyncio.run(store.doorman.close())


@contextmanager
def on_maildir(mails: dict[int, bytes], work: Path) -> Iterator[Lab]:
    store = maildir_store(work / "mail")
    yield Lab(store.inbox, store.mailboxes, MaildirProgram(store.inbox), mails)


LABS = {"dovecot": on_dovecot, "maildir": on_maildir}


def walk(lab: Lab, seed: int, steps: int, counted: Counter[str]) -> None:
    """One call, from the login to the end, and what is in the mailbox afterwards."""
    dice = random.Random(seed)
    rules = Rules(
        options_after_message=dice.random() < 0.7,
        information_order=dice.choice(list(InformationOrder)),
        deletion=dice.choice(list(Deletion)),
    )
    site = Exchange(rules=rules)
    lamps = LampKeeper(site.lamps, lab.mailboxes, site.directory)
    site.desk = replace(
        site.desk,
        sender_name=names,
        at_speed=some_faster,
        inboxes=Inboxes(lab.mailboxes, lamps, rules.deletion),
    )
    line = site.line()
    sounds = line.lengths = Sounds()
    ledger = lab.begin(dice)
    walker = Walker(dice, lab, ledger, counted, sounds.numbers, steps, rules.deletion)
    with capture_logs() as logs:
        told = site.phone_call(walker.walks, purpose="login", line=line)
    assert not [entry for entry in logs if entry["event"] == "call failed"], logs[-3:]
    assert told.channel.left in (None, ("SUCCESS", "")), told.phone.heard_names()[-20:]
    walker.ends(broken=any(entry["event"] == "deleted message not removed" for entry in logs))
    counted["calls"] += 1


def walks(lab: Lab, steps: int, first: int = 0, wanted: Sequence[str] = ()) -> Counter[str]:
    """Calls until there were so many steps, and more while something *wanted* has not come.

    The seed of a call that goes wrong is told.
    """
    counted: Counter[str] = Counter()
    seed, most = first, steps
    while counted["steps"] < most:
        try:
            walk(lab, seed, min(STEPS_OF_A_CALL, most - counted["steps"]), counted)
        except BaseException as error:
            error.add_note(f"walk {seed}")
            raise
        seed += 1
        most = steps if all(counted[what] for what in wanted) else MOST * steps
    return counted


WANTED = (
    *(
        "known strikes",
        "deleted",
        "restored",
        "kept as new",
        "removed for good",
        "between commands",
    ),
    *(P.MESSAGE_GONE, P.NEW_MESSAGE_ARRIVED, P.NO_EARLIER_MESSAGE, P.NO_MORE_MESSAGES),
    *("marked", "marked to be removed, or not", "removed", "removed the folder", "moved"),
)


@pytest.mark.slow
@pytest.mark.flaky(reruns=0)
@pytest.mark.feature_part("INBOX-02", "thousands of steps on a real mailbox beside a mail program")
@pytest.mark.parametrize("kind", LABS)
def test_a_mail_program_at_random_never_makes_the_telephone_strike_the_wrong_message(
    kind: str, tmp_path: Path
) -> None:
    with LABS[kind](mails_of_all_kinds(tmp_path), tmp_path) as lab:
        counted = walks(lab, STEPS[kind], wanted=WANTED)
    print(dict(counted))
    for wanted in WANTED:
        assert counted[wanted], f"never came to it: {wanted}"


def two_messages(work: Path) -> tuple[Lab, Walker]:
    """Numbers 1 and 2 in the inbox of a Maildir, and who would judge a call."""
    store = maildir_store(work / "mail")
    program, mails = MaildirProgram(store.inbox), {n: voice_mail(n, work) for n in (1, 2)}
    lab = Lab(store.inbox, store.mailboxes, program, mails)
    ledger = Ledger(lab.files.look)
    with ledger.others():
        for mail in mails.values():
            program.deliver(mail, "")
    return lab, Walker(random.Random(0), lab, ledger, Counter(), {}, 1, Deletion.FOLDER)


def into_the_deleted_ones(lab: Lab) -> None:
    lab.program.move(INBOX, lab.files.path_of(2), DELETED)


def away(lab: Lab) -> None:
    lab.program.remove(INBOX, lab.files.path_of(2))


def marked(lab: Lab) -> None:
    lab.program.flag(INBOX, lab.files.path_of(2), "S", on=True)


def doubled(lab: Lab) -> None:
    lab.program.deliver(lab.mails[2], "")


@pytest.mark.parametrize(
    ("deed", "keys", "at"),
    [
        *[(into_the_deleted_ones, keys, at) for keys, at in (("7", 1), ("6", 2), ("", 0))],
        *[(away, keys, 2) for keys in ("7", "77", "")],
        *[(marked, "1", 1), (doubled, "7", 2)],
    ],
)
def test_the_judge_can_condemn(
    tmp_path: Path, deed: Callable[[Lab], None], keys: str, at: int
) -> None:
    lab, walker = two_messages(tmp_path)
    deed(lab)
    with pytest.raises(AssertionError):
        walker.judge(keys, at, surprised=False)


def test_and_acquit(tmp_path: Path) -> None:
    lab, walker = two_messages(tmp_path)
    into_the_deleted_ones(lab)
    walker.judge("7", 2, surprised=False)
    with walker.ledger.others():
        lab.program.remove(DELETED, lab.files.path_of(2))
    walker.judge("6", 1, surprised=True)


def main() -> None:
    """Walk, and print what was come to; an exception tells the seed."""
    kind, steps, first = sys.argv[1], int(sys.argv[2]), int((*sys.argv[3:], "0")[0])
    sys.addaudithook(WATCH)
    with (
        tempfile.TemporaryDirectory() as work,
        LABS[kind](mails_of_all_kinds(Path(work)), Path(work)) as lab,
    ):
        counted = walks(replace(lab, cuts=CUTS), steps, first)
    print({name: count for name, count in counted.items() if "/" not in name})


if __name__ == "__main__":
    main()
