"""Short messages through a gateway's web interface, whatever it looks like (NOTIFY-03).

Address, headers and body are templates of the site (Jinja2, sandboxed) that know *number*, *digits*
(the number without ``+``), *text*, *sender*, *user*, *location*, *id* and *secret*. Every value is
escaped for the place where it stands, so that no text can become more than a text.
"""

import base64
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote
from xml.sax.saxutils import escape as escape_xml

from jinja2 import StrictUndefined, Template, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from vm_ari.adapters.web_requests import WebRequests
from vm_ari.domain.callers import printable
from vm_ari.domain.short_messages import ShortMessage
from vm_ari.ports import DeliveryPostponed, DeliveryRefused

_OF_THIS_MESSAGE = frozenset({400, 413, 422})
"""Answers that say something of the message; all others may be mended by the site."""
_LONGEST_VALUE = 1000


class BadTemplate(ValueError):
    """A template of the site cannot be used. The text names it, and says why."""


@dataclass(frozen=True)
class HttpGateway:
    """How a gateway wants to be asked."""

    url: str
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    content_type: str = "application/json"
    account: str = ""
    """With the secret as its password, by basic authentication (RFC 7617)."""
    secret: str = field(default="", repr=False)
    success: str = ""
    """Pattern that must be found in a good answer; empty: its status is enough."""


class SmsByHttp:
    """`ports.SmsGateway`. Raises `BadTemplate`."""

    def __init__(self, gateway: HttpGateway, requests: WebRequests) -> None:
        self._gateway = gateway
        self._requests = requests
        self._success = re.compile(gateway.success)
        self._url = _template("url", gateway.url, _in_url)
        escape = escape_for(gateway.content_type)
        self._body = _template("body", gateway.body, escape)
        self._headers = {
            name: _template(f"headers, {name}", text, _in_header)
            for name, text in gateway.headers.items()
        }

    async def send(self, message: ShortMessage) -> None:
        """See `SmsGateway`."""
        url, headers, body = self.request(message)
        answer = await self._requests.ask(self._gateway.method, url, headers, body)
        told = f"{self._requests.where}: {answer.told(self._gateway.secret)}"
        if answer.good and self._success.search(answer.text):
            return
        if answer.good or answer.status in _OF_THIS_MESSAGE:
            raise DeliveryRefused(told)  # it was taken perhaps: a second one costs money
        raise DeliveryPostponed(told)

    def request(self, message: ShortMessage) -> tuple[str, Mapping[str, str], bytes | None]:
        """Address, headers and body. Raises `DeliveryRefused`."""
        gateway, values = self._gateway, _values(message, self._gateway.secret)
        try:
            url = self._url.render(values)
            headers = {name: one.render(values) for name, one in self._headers.items()}
            body = self._body.render(values).encode() if gateway.body else None
        except Exception as error:  # a site's template can do anything wrong
            why = f"a template of [sms] cannot be used: {type(error).__name__}"
            raise DeliveryRefused(why) from None
        usual = {"Content-Type": gateway.content_type} if body is not None else {}
        return url, {**usual, **self._authorization(), **headers}, body

    def _authorization(self) -> Mapping[str, str]:
        if not self._gateway.account:
            return {}
        pair = f"{self._gateway.account}:{self._gateway.secret}".encode()
        return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}


def escape_for(content_type: str) -> Callable[[object], str]:
    """How values are written in a body of that type."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/json" or kind.endswith("+json"):
        return _in_json
    if kind == "application/x-www-form-urlencoded":
        return _in_url
    if kind.endswith(("/xml", "+xml")):
        return _in_xml
    return _in_text


def _template(name: str, text: str, escape: Callable[[object], str]) -> Template:
    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, finalize=escape)
    try:
        template = environment.from_string(text)
        template.render(_values(ShortMessage("0", "0", "+4930", "0"), "0"))
    except (TemplateError, TypeError, ValueError, ArithmeticError) as error:
        raise BadTemplate(f"{name}: {printable(str(error), 200)}") from None
    return template


def _values(message: ShortMessage, secret: str) -> dict[str, str]:
    return {
        "number": message.number,
        "digits": message.number.removeprefix("+"),
        "text": message.text,
        "sender": message.sender,
        "user": message.user_id,
        "location": message.location,
        "id": message.id,
        "secret": secret,
    }


def _in_url(value: object) -> str:
    return quote(str(value)[:_LONGEST_VALUE], safe="")


def _in_json(value: object) -> str:
    """Between quotation marks."""
    return json.dumps(str(value)[:_LONGEST_VALUE])[1:-1]


def _in_xml(value: object) -> str:
    return escape_xml(_in_text(value), {'"': "&quot;", "'": "&apos;"})


def _in_text(value: object) -> str:
    return printable(str(value), _LONGEST_VALUE)


def _in_header(value: object) -> str:
    """Visible ASCII in one line."""
    return "".join(c for c in _in_text(value) if " " <= c <= "~")
