"""Are users told of new messages? What is remembered, what waits, and whom nothing reaches."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

from vm_ari.adapters.findings import Finding, sentence
from vm_ari.domain.notifications import Channel, Topic
from vm_ari.domain.users import User
from vm_ari.ports import NoticeBook, NoticeBookUnavailable

LATE = timedelta(minutes=10)
"""Whatever waits longer was not told for a reason."""
Obstacle = Callable[[User, Channel], str]


async def examine_notices(
    book: NoticeBook | None, people: Sequence[User], obstacle: Obstacle
) -> list[Finding]:
    """*book* None: nothing was ever remembered."""
    return [*await _remembered(book), *_in_the_way(people, obstacle)]


async def _remembered(book: NoticeBook | None) -> list[Finding]:
    if book is None:
        return [Finding(True, "Nothing is remembered of notices yet.")]
    now = datetime.now(UTC)
    try:
        waiting = await book.unfinished("", now + LATE)
    except NoticeBookUnavailable as error:
        advice = "Until it answers nobody is told but by lamp; look at notifications.url."
        return [Finding(False, sentence(error), advice, unreachable=True)]
    late = sum(now - announcement.at > LATE for announcement in waiting)
    if late:
        advice = "Is the controller that found them running? Its log says what is in the way."
        return [Finding(False, f"{late} notices wait to be told for over ten minutes.", advice)]
    return [Finding(True, "What users were told is remembered; no notice is late.")]


def _in_the_way(people: Sequence[User], obstacle: Obstacle) -> Iterator[Finding]:
    """One line for each reason: that a user has no mobile number is no fault of the site."""
    reasons = Counter(
        (channel, reason)
        for user in people
        for channel in {one for topic in Topic for one in user.channels_for(topic)}
        if (reason := obstacle(user, channel))
    )
    for (channel, reason), count in sorted(reasons.items()):
        who = "1 user is" if count == 1 else f"{count} users are"
        yield Finding(True, f"{who} not told by {channel.value} as chosen: {reason}.")
