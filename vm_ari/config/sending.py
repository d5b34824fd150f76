"""Settings of what users send by telephone: replies, forwarded and new messages."""

from typing import Self

from pydantic import Field, field_validator, model_validator

from vm_ari.config.directory import Table
from vm_ari.config.orders import AddressTemplate
from vm_ari.domain.callers import printable
from vm_ari.domain.dialling import BadRule, DiallingRules, parse_rule
from vm_ari.domain.number_addresses import NumberAddress, NumberForm, parse
from vm_ari.domain.numbers import Site
from vm_ari.domain.sending import DistributionList
from vm_ari.domain.sending_rules import ForwardAs, SendingRules


class ListSettings(Table):
    """Several people under one number of the keypad: ``[[sending.lists]]``."""

    number: str = Field(pattern="^[0-9]{1,10}$")
    """What is typed; a list wins over a user who has the same number."""
    name: str = Field(min_length=1, max_length=60)
    members: tuple[str, ...] = Field(min_length=1, max_length=500)
    """User ids, mailboxes, telephone numbers or mail addresses."""

    @field_validator("name")
    @classmethod
    def _one_line(cls, text: str) -> str:
        if text != printable(text):
            raise ValueError("write up to 60 visible characters")
        return text


class SendingSettings(Table):
    """What users can send by telephone (INBOX-07, -08, -13, MAIL-06)."""

    enabled: bool = True
    forward_as: ForwardAs = ForwardAs.ONE_AUDIO
    """A voice message and the comment on it: ``one-audio``, or ``two-attachments``."""
    voice_address: AddressTemplate = ""
    """Where mails with a voice message for a telephone number go, such as
    ``$(phonenumber)@$(addrtype).example.org``; ``$(addrtype)`` is ``voice``. Empty: nowhere."""
    fax_address: AddressTemplate = ""
    """The same for faxes; ``$(addrtype)`` is ``fax``."""
    search_address: AddressTemplate = ""
    """Which senders of mails are telephone numbers: of faxes and SMS that came by mail."""
    number_form: NumberForm = NumberForm.E164
    """Of numbers in these addresses: ``e164`` (+4930…), ``digits`` (4930…) or ``national``
    (030…)."""
    rules: tuple[str, ...] | None = None
    """Which telephone numbers may be sent to; none: as ``[dialling]`` says."""
    from_user: bool = False
    """What leaves the house comes from the user's own mail address; else from ``mail.sender``, and
    answers go to the user."""
    receipts: bool = False
    """Users get a mail when what they have sent has arrived."""
    most_recipients: int = Field(default=20, ge=1, le=500)
    """Of one message."""
    per_day: int = Field(default=50, ge=0, le=10_000)
    """Sendings of one user in a day (UTC); 0: no limit."""
    largest_mail_megabytes: int = Field(default=25, ge=1, le=200)
    """Larger mails cannot be forwarded."""
    lists: tuple[ListSettings, ...] = ()

    @model_validator(mode="after")
    def _different_lists(self) -> Self:
        numbers = [one.number for one in self.lists]
        for number in numbers:
            if numbers.count(number) > 1:
                raise ValueError(f"lists: two have the number {number}; give one another")
        return self

    def sending_rules(self, dialling: DiallingRules, site: Site, *, by_mail: bool) -> SendingRules:
        """What the program follows; *by_mail*: is there a server that takes mails for outside?

        Raises ValueError for a rule that is none.
        """
        return SendingRules(
            outside=by_mail,
            dialling=dialling if self.rules is None else self._dialling(self.rules, site),
            forward_as=self.forward_as,
            voice_address=self._template(self.voice_address),
            fax_address=self._template(self.fax_address),
            search_address=self._template(self.search_address),
            most_recipients=self.most_recipients,
            per_day=self.per_day,
            largest_mail=self.largest_mail_megabytes << 20,
            lists=tuple(DistributionList(x.number, x.name, x.members) for x in self.lists),
        )

    def _template(self, text: str) -> NumberAddress | None:
        return parse(text, self.number_form) if text else None

    def _dialling(self, rules: tuple[str, ...], site: Site) -> DiallingRules:
        found = []
        for position, text in enumerate(rules, start=1):
            try:
                found.append(parse_rule(text, site))
            except BadRule as error:
                raise ValueError(f"sending.rules, rule {position}: {error}") from None
        return DiallingRules(tuple(found))
