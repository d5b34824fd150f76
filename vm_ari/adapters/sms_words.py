"""The words of a short message about new messages: the site's template in the user's language.

Template ``new-messages-sms/<language>/text.txt`` knows *voice*, *fax* and *text*, the numbers of
new messages that the user is to be told of, *system* (the name of the system), *number* and *name*
of the user, and *login_number*, which may be empty. What does not fit into one message is cut off.
"""

from dataclasses import dataclass

from vm_ari.adapters.templates import MailTemplates
from vm_ari.domain.callers import printable
from vm_ari.domain.notifications import Notice, Topic
from vm_ari.domain.numbers import Site, readable
from vm_ari.domain.users import User

MAIL = "new-messages-sms"


@dataclass(frozen=True)
class SmsWords:
    """`services.sms_notices.Words`."""

    templates: MailTemplates
    site: Site
    system: str
    login_number: str = ""

    def __call__(self, user: User, notice: Notice) -> str:
        """The text. Raises whatever a template can do wrong."""
        values: dict[str, object] = {topic.value: notice.topics.get(topic, 0) for topic in Topic}
        number = next(iter(user.numbers), user.mailbox)
        values |= {
            "system": printable(self.system, 40),
            "number": printable(readable(number, self.site), 40),
            "name": printable(user.name),
            "login_number": self.login_number,
        }
        return self.templates.render(MAIL, user.language, "text.txt", values)
