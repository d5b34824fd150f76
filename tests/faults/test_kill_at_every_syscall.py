"""What was said after the tone is delivered, whenever the controller dies or the disk fails.

A controller is killed before each system call that changes the disk, started again, and the
mailbox counted: what the caller was thanked for, or what was complete before the kill, must be
there exactly once; anything else at most once; and nothing may be left lying about.
"""

import email
import email.policy
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from tempfile import TemporaryDirectory

import pytest

from tests.faults.kill_points import (
    SYSTEM_CALLS,
    Life,
    Stage,
    failing,
    killed_before,
    seen,
)
from tests.faults.spool_process import Job
from tests.recordings import STEP, killed, silent, spoken, wav

SIDE_BY_SIDE = 4
HEADER = 44
BY_DIALPLAN = "1767300000_1767300000.12_101_+49891234567__SsO2cmc=.wav"

FIRST, SECOND = wav(spoken(3)), wav(spoken(4))
CUT = killed(spoken(5))
MENDED = wav(spoken(5)[: STEP * (len(CUT) // STEP) - HEADER])
SILENCE = wav(silent(4))

pytestmark = [
    pytest.mark.skipif(shutil.which("strace") is None, reason="NOT TESTED: strace is missing"),
    pytest.mark.feature_part("CALL-10", "nothing said after the tone is lost by a crash"),
]


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    stage = Stage()
    yield stage
    stage.close()


Disks = Callable[[], AbstractContextManager[Job]]


@dataclass(frozen=True)
class Scenario:
    """One life that is to be killed, and what must be in the mailbox after the next one."""

    job: Job
    takes: tuple[bytes, ...] = ()
    """What Asterisk writes during it."""
    before: Callable[[Stage, Job], None] = lambda stage, job: None
    """Brings the disk into the state in which it begins."""
    there: bytes | None = None
    """Audio that is complete on the disk before it begins."""
    delivered: bytes | None = None
    """What must be delivered if the last take is not to be delivered as it is."""
    copies: int = 1
    """So many people get it, each once."""

    def due(self, life: Life) -> bytes | None:
        """The audio that was complete when the life ended."""
        if life.recorded:
            return life.recorded[-1] if self.delivered is None else self.delivered
        return self.there

    @contextmanager
    def disks(self, stage: Stage) -> Iterator[Disks]:
        """As many disks as wanted, each in the state in which the life begins."""
        with TemporaryDirectory() as first:
            job = replace(self.job, directory=first)
            for name in ("tmp", "new"):
                (job.mail / name).mkdir(parents=True)
            self.before(stage, job)

            @contextmanager
            def copied() -> Iterator[Job]:
                with TemporaryDirectory() as directory:
                    shutil.copytree(first, directory, dirs_exist_ok=True)
                    yield replace(job, directory=directory)

            yield copied


def nothing_before(stage: Stage, job: Job) -> None:
    """The very first start."""


def at_home(stage: Stage, job: Job) -> None:
    """The controller has run before."""
    assert stage.live(Job(job.directory, courier=job.courier)).ended


def call_cut_off(stage: Stage, job: Job) -> None:
    """It died while the caller talked; the recording went on."""
    at_home(stage, job)
    life = stage.live(replace(job, call=True, dies_recording=True), FIRST)
    assert life.recorded
    assert not life.ended


def call_kept(stage: Stage, job: Job) -> None:
    """It was stopped after it had kept a message."""
    at_home(stage, job)
    assert stage.live(replace(job, call=True, deliver=False), FIRST).kept


def dialplan_recorded(stage: Stage, job: Job) -> None:
    """The dialplan took a message alone."""
    at_home(stage, job)
    (job.spool / "fallback" / BY_DIALPLAN).write_bytes(FIRST)


CALL, ADOPT = Job("", call=True, courier="relay"), Job("", courier="relay")

SCENARIOS = {
    "first start, Maildir": Scenario(replace(CALL, courier="maildir"), (FIRST,), nothing_before),
    "call, relay": Scenario(CALL, (FIRST,), at_home),
    "call, Asterisk died": Scenario(CALL, (CUT,), at_home, delivered=MENDED),
    "call, said twice": Scenario(replace(CALL, redo=True), (FIRST, SECOND), at_home),
    "call, nothing said": Scenario(CALL, (SILENCE,), at_home, delivered=b""),
    "forwarded to two": Scenario(
        replace(CALL, call=False, sends=True), (FIRST,), at_home, copies=2
    ),
    "answer lost, tried again": Scenario(
        replace(ADOPT, courier="answer lost"), (), call_kept, there=FIRST
    ),
    "adoption": Scenario(ADOPT, (), call_cut_off, there=FIRST),
    "dialplan's recording": Scenario(ADOPT, (), dialplan_recorded, there=FIRST),
}


# -- after the next start


@dataclass
class Figures:
    """What one enumeration came to."""

    points: int = 0
    confirmed: int = 0
    found: int = 0
    only_complete: int = 0
    """Found and not confirmed, but complete before the kill."""
    lost: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    litter: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.points:4} points, {self.confirmed:4} confirmed, "
            f"{self.found:4} found ({self.only_complete} of them unconfirmed but complete), "
            f"{len(self.lost)} lost, {len(self.twice)} twice, {len(self.litter)} left over"
        )

    def judge(self, point: str, scenario: Scenario, life: Life, job: Job) -> None:
        """Count what the next life made of it."""
        mails, due = delivered(job), scenario.due(life)
        self.confirmed += life.kept
        self.found += bool(mails)
        self.only_complete += bool(mails) and not life.kept
        wanted = [due] * scenario.copies if due else []
        if len(mails) > len(wanted):
            self.twice.append(f"{point}: {len(mails)} mails, {life.said}")
        elif mails != wanted:
            self.lost.append(f"{point}: {[len(mail) for mail in mails]}, {life.said}")
        self.litter += [f"{point}: {name}" for name in litter(job)]


def delivered(job: Job) -> list[bytes]:
    """The audio of every mail that arrived."""
    if job.courier != "maildir":
        return [path.read_bytes() for path in (job.mail / "new").iterdir()]
    mails = [path for folder in ("new", "cur") for path in job.mail.glob(f"101/{folder}/*")]
    return [attachment(path.read_bytes()) for path in mails]


def attachment(mail: bytes) -> bytes:
    """The one audio file in a mail."""
    message = email.message_from_bytes(mail, policy=email.policy.default)
    [part] = [part for part in message.walk() if part.get_content_maintype() == "audio"]
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    return content


def litter(job: Job) -> list[str]:
    """Files that should not be in the spool once all is delivered."""
    places = ("tmp", "open", "new", "hold", "corrupt", "fallback")
    left = [path for place in places for path in (job.spool / place).iterdir()]
    left += [path for path in (job.spool / "done").glob("*/*") if path.suffix == ".tmp"]
    return [str(path.relative_to(job.spool)) for path in left]


def restart(stage: Stage, job: Job) -> None:
    """Adopt and deliver what the last life left, when all pauses are over."""
    courier = "relay" if job.courier == "answer lost" else job.courier
    assert stage.live(Job(job.directory, courier=courier, hours_later=2)).ended


# -- the enumeration


def kill_everywhere(
    stage: Stage, scenario: Scenario, calls: tuple[str, ...] = SYSTEM_CALLS
) -> Figures:
    """Kill before the first, second … call of each name, until a life comes to its end."""
    figures = Figures()
    with scenario.disks(stage) as disks:
        with disks() as job:
            whole = stage.live(job, *scenario.takes, strace=seen(calls))
            assert whole.ended, whole.said
            figures.judge("whole", scenario, whole, job)

        def is_survived(point: tuple[str, int]) -> bool:
            with disks() as job:
                return not _killed(stage, scenario, point, job, figures)

        expected = whole.calls()
        points = [(name, n + 1) for name in calls for n in range(expected[name])]
        with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
            list(pool.map(is_survived, points))
        for name in expected & Counter(calls):
            assert any(is_survived((name, expected[name] + n)) for n in range(1, 10)), name
    return figures


def _killed(
    stage: Stage, scenario: Scenario, point: tuple[str, int], job: Job, figures: Figures
) -> bool:
    life = stage.live(job, *scenario.takes, strace=killed_before(*point))
    if life.ended:
        return False
    restart(stage, job)
    figures.points += 1
    figures.judge(f"{point}", scenario, life, job)
    return True


@pytest.mark.slow
@pytest.mark.parametrize("name", SCENARIOS)
def test_killed_at_every_system_call(
    stage: Stage, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = kill_everywhere(stage, SCENARIOS[name])
    with capsys.disabled():
        print(f"\n{name:26}{figures}", end="")
    assert figures.points > 10
    assert (figures.lost, figures.twice, figures.litter) == ([], [], [])


def test_without_asking_the_mailbox_there_would_be_second_copies(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    """The proof can fail: a target that cannot be asked gets some messages twice, none never."""
    forgetful = replace(CALL, courier="forgetful")
    calls = ("rename", "fsync", "unlink")
    figures = kill_everywhere(stage, Scenario(forgetful, (FIRST,), at_home), calls)
    with capsys.disabled():
        print(f"\n{'call, forgetful relay':26}{figures}", end="")
    assert (figures.lost, figures.litter) == ([], [])
    assert figures.twice


# -- a disk that refuses


FAULTS = [
    ("fsync", "EIO"),
    ("write", "ENOSPC"),
    ("openat", "EMFILE"),
    ("mkdir", "ENOSPC"),
    ("rename", "EIO"),
    ("unlink", "EROFS"),
]


def safe_on_disk(job: Job) -> list[bytes]:
    """Audio of the items that are, or were, on their way."""
    takes = [path for state in ("new", "done") for path in job.spool.glob(f"{state}/*/take-1.wav")]
    return [path.read_bytes() for path in takes if path.with_name("facts.json").is_file()]


@pytest.mark.parametrize("lasting", [False, True], ids=["once", "from then on"])
@pytest.mark.parametrize(("name", "error"), FAULTS)
def test_a_disk_that_refuses_is_never_thanked_for(
    stage: Stage, name: str, error: str, lasting: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every n-th call fails, once or for good: "kept" only when on disk, and no message lost."""
    deliver = not lasting and name != "openat"  # or it would wait and try again in earnest
    scenario = Scenario(replace(CALL, deliver=deliver), (FIRST,), at_home)
    figures, refused = Figures(), 0
    with scenario.disks(stage) as disks:
        for n in count(1):
            with disks() as job:
                when = f"{n}+" if lasting else str(n)
                life = stage.live(job, *scenario.takes, strace=failing(name, error, when))
                assert life.ended, (n, life.said, life.trace)
                assert safe_on_disk(job) == [FIRST] or not life.kept
                restart(stage, job)
                figures.points += 1
                figures.judge(f"{name} {when}", scenario, life, job)
            refused += life.said[-1] == "refused"
            if "INJECTED" not in life.trace:
                break
    with capsys.disabled():
        print(f"\n{name + ' ' + when:12} {error:7} {refused:3} refused, {figures}", end="")
    assert refused or name == "unlink"
    assert (figures.lost, figures.twice, figures.litter) == ([], [], [])


# -- the order


def test_everything_is_on_the_disk_before_the_next_step_is_told(stage: Stage) -> None:
    """fsync the file, its directory, rename, fsync both parents; only then a word to anybody."""
    quick = Scenario(replace(CALL, deliver=False), (FIRST,), at_home)
    with quick.disks(stage) as disks, disks() as job:
        life = stage.live(job, FIRST, strace=seen(("fsync", "rename", "sendto")))
        assert life.kept
        steps = "\n".join(steps_of(life.trace, str(job.spool)))
    assert steps == IN_ORDER


def test_and_so_is_what_is_forwarded(stage: Stage) -> None:
    quick = Scenario(replace(CALL, call=False, sends=True, deliver=False), (FIRST,), at_home)
    with quick.disks(stage) as disks, disks() as job:
        life = stage.live(job, FIRST, strace=seen(("fsync", "rename", "sendto")))
        assert life.kept
        steps = "\n".join(steps_of(life.trace, str(job.spool)))
    assert steps == IN_ORDER.replace("tell record", COPIED + "tell record")


COPIED = """\
fsync open/ID/original.tmp
rename open/ID/original.tmp open/ID/original
fsync open/ID
"""
IN_ORDER = """\
fsync .
fsync tmp/ID/facts.json
fsync tmp/ID
rename tmp/ID open/ID
fsync open
tell record
fsync open/ID/take-1.wav
fsync open/ID/facts.json.tmp
rename open/ID/facts.json.tmp open/ID/facts.json
fsync open/ID
rename open/ID new/ID
fsync new
tell kept
tell finished"""


def steps_of(trace: str, root: str) -> Iterator[str]:
    """What happened, one step a line: paths below *root*, and what was told over the wire."""
    below = re.compile(rf"{re.escape(root)}(?:/([^\">]+))?[\">]")
    for line in trace.splitlines():
        paths = [re.sub("[0-9a-f]{24}", "ID", path or ".") for path in below.findall(line)]
        if found := re.search(r"(fsync|rename)\(", line):
            yield " ".join((found[1], *paths))
        elif found := re.search(r'sendto\(.*"(record|kept|finished)', line):
            yield f"tell {found[1]}"
