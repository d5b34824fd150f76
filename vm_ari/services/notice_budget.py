"""What costs money is not sent without end: whoever leaves messages decides how many there are."""

from datetime import date

from vm_ari.domain.notice_jobs import job_id
from vm_ari.domain.notifications import Channel
from vm_ari.ports import NoticeJobs


async def one_more(
    jobs: NoticeJobs, channel: Channel, user_id: str, day: date, *, most: int
) -> bool:
    """Count one more of that day, durably; False: there were so many already. 0: no limit.

    Raises `NoticeNotKept`.
    """
    for number in range(most):
        mark = job_id(channel, user_id, f"{day} number {number}")
        if not await jobs.is_known(mark):
            await jobs.over(mark)
            return True
    return not most
