"""What leaves the hub when somebody is told: a reference, an urgency, a link and a telephone number.

It guarantees by construction that there is nothing else: four fields, each of a closed alphabet that no name fits, and
the wording of every way is made from these four and fixed sentences (SEC-02; design, "Never" 1).
It refuses to know what the alert is about; whoever is told looks behind the link or rings the number.
"""

import re
from dataclasses import dataclass
from typing import Final

from broker.alerts.kinds import Alert, Urgency

_REFERENCE: Final = re.compile(r"[A-Z2-7]{5}-[A-Z2-7]{5}|A-[0-9]{1,12}")
_LINK: Final = re.compile(r"https?://[a-z0-9.:\[\]-]{1,120}(/[a-z0-9._-]{1,40}){0,4}/a/[A-Za-z0-9_-]{20,160}")
_TELEPHONE: Final = re.compile(r"(\+?[0-9][0-9 ]{2,19})?")

HEADLINES: Final = {
    Urgency.NOW: "act now",
    Urgency.TODAY: "act today",
    Urgency.WEEK: "act this week",
}


class NoticeUnfit(ValueError):
    """A notice holds a reference, an urgency, a link and a telephone number, and one of these is something else."""


@dataclass(frozen=True)
class Notice:
    """Everything that anybody is told. Raises `NoticeUnfit`, which does not repeat what it was given."""

    reference: str
    urgency: Urgency
    link: str
    telephone: str

    def __post_init__(self) -> None:
        alphabets = (_REFERENCE, self.reference), (_LINK, self.link), (_TELEPHONE, self.telephone)
        if not all(isinstance(text, str) and alphabet.fullmatch(text) for alphabet, text in alphabets):
            raise NoticeUnfit
        if not isinstance(self.urgency, Urgency):
            raise NoticeUnfit

    @property
    def headline(self) -> str:
        """One line: that there is an alert, how soon to act, and its reference."""
        return f"MASH alert, {HEADLINES[self.urgency]}: {self.reference}"

    @property
    def text(self) -> str:
        """The plain text of a mail."""
        ring = f"Telephone: {self.telephone}\n" if self.telephone else ""
        return (
            f"{self.headline}\n\n"
            f"Look and confirm that you have seen it: {self.link}\n{ring}\n"
            "There may be more alerts behind it. If nobody confirms, the next person on duty is told.\n"
            "This message holds no personal information. Do not reply with any.\n"
        )

    def plain(self) -> dict[str, str]:
        """Give the four fields, for a template of Notify or the body of a webhook."""
        return {
            "reference": self.reference,
            "urgency": self.urgency.value,
            "link": self.link,
            "telephone": self.telephone,
        }


def reference_of(alert: Alert, number: int) -> str:
    """Give the reference by which people speak of an alert: the request's own, or else the alert's number."""
    return alert.reference if _REFERENCE.fullmatch(alert.reference) else f"A-{number}"


def telephone_of(*candidates: str) -> str:
    """Give the first candidate that is a telephone number and nothing else, or nothing."""
    return next((text for text in candidates if text and _TELEPHONE.fullmatch(text)), "")
