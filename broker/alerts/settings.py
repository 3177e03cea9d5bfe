"""What an operator sets about the servers by which people are told: mail, GOV.UK Notify, webhooks, and the links' base.

It guarantees: nothing is sent in the open except to this machine itself, and every wait has a bound in seconds.
No secret is in it; `broker.alerts.secrets` reads those.
"""

import re
from pathlib import Path
from typing import Annotated, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

NOTIFY_URL: Final = "https://api.notifications.service.gov.uk"
MAIL_ADDRESS: Final = re.compile(r"[A-Za-z0-9._%+'-]{1,64}@[A-Za-z0-9.-]{1,190}")
_LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")


def read_base(text: object) -> str:
    """Read an address that something is sent to: https, or http on this machine only. Raises `ValueError`."""
    parts = urlsplit(text if isinstance(text, str) else "")
    if not parts.hostname or parts.username or parts.query or parts.fragment:
        raise ValueError("write an address like https://host/path, without user or question mark")
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise ValueError("write https://; http is for this machine alone")
    return str(text).rstrip("/")


BaseText = Annotated[str, BeforeValidator(read_base)]
Seconds = Annotated[float, Field(gt=0, le=120)]
TemplateId = Annotated[str, Field(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]


class Settings(BaseModel):
    """A closed table of the file."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, hide_input_in_errors=True)


class LinkSettings(Settings):
    """Where links lead: the address under which people reach the operations page."""

    link: BaseText


class CanarySettings(Settings):
    """A mailbox of ours that canary mails are sent to. `within`: seconds that one may take to arrive."""

    address: Annotated[str, Field(pattern=f"^{MAIL_ADDRESS.pattern}$")]
    imap: Annotated[str, Field(pattern=r"^[A-Za-z0-9.:-]{1,190}$")]
    port: Annotated[int, Field(ge=1, le=65535)] = 993
    tls: Literal["tls", "none"] = "tls"
    user: Annotated[str, Field(min_length=1)]
    folder: Annotated[str, Field(pattern=r"^[A-Za-z0-9_./-]{1,60}$")] = "INBOX"
    authority: Path | None = None
    within: Annotated[float, Field(gt=0, le=3600)] = 600
    every: Annotated[float, Field(ge=60, le=86_400)] = 3600
    look_every: Annotated[float, Field(gt=0, le=60)] = 10
    timeout: Seconds = 20

    @model_validator(mode="after")
    def _is_not_in_the_open(self) -> Self:
        if self.tls == "none" and self.imap not in _LOOPBACK:
            raise ValueError('write tls = "tls"; "none" is for a mailbox on this machine')
        return self


class MailSettings(Settings):
    """The mail server. `tls`: `starttls`, `tls` from the first byte, or `none` on this machine only."""

    host: Annotated[str, Field(pattern=r"^[A-Za-z0-9.:-]{1,190}$")]
    port: Annotated[int, Field(ge=1, le=65535)] = 587
    tls: Literal["starttls", "tls", "none"] = "starttls"
    sender: Annotated[str, Field(pattern=f"^{MAIL_ADDRESS.pattern}$")]
    user: str = ""
    authority: Path | None = None
    timeout: Seconds = 20
    canary: CanarySettings | None = None

    @model_validator(mode="after")
    def _is_not_in_the_open(self) -> Self:
        if self.tls == "none" and self.host not in _LOOPBACK:
            raise ValueError('write tls = "starttls" or "tls"; "none" is for a mail server on this machine')
        return self


class NotifySettings(Settings):
    """GOV.UK Notify: two templates, each with ((reference)), ((urgency)), ((link)) and ((telephone))."""

    email_template: TemplateId
    text_template: TemplateId
    base_url: BaseText = NOTIFY_URL
    timeout: Seconds = 20


class WebhookSettings(Settings):
    """One webhook. `authority`: whose certificates to trust instead of the machine's own list (PEM)."""

    url: BaseText
    authority: Path | None = None
    timeout: Seconds = 10
