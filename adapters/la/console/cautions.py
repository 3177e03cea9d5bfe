"""What is worth saying before an enquiry goes out or is decided, and stops neither: shown, and kept with the enquiry.

Pure. A caution names its requirement and a place, never what stands there.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from adapters.kit.disclosure import load_pack
from adapters.kit.disclosure.gaps import find_warnings
from adapters.la.console.arrived import Arrived
from adapters.la.console.enquiry import Enquiry, Form
from schemas.agency import AGENCY_KINDS
from schemas.content.codes import Audience, RagRating
from schemas.content.rfi import RequestForInformation

_GROUPS: Final = ("children", "parents", "other_contacts")
_STAGES_OF_RISK: Final = frozenset({"s47", "strategy_discussion"})
_WORDS_OF_A_QUOTATION: Final = 5


def before_issuing(enquiry: Enquiry, requests: Sequence[RequestForInformation]) -> tuple[str, ...]:
    """Give what is worth saying about an enquiry that goes out now with these requests."""
    said = (
        *_copied_explanations(enquiry.form),
        *_same_text(enquiry.form, requests),
        *_police(enquiry),
        *_of_the_requests(requests),
    )
    return tuple(dict.fromkeys(said))


def _copied_explanations(form: Form) -> Iterator[str]:
    """RFI-12: an explanation is for this case and this group; one text for several groups is boilerplate."""
    groups: dict[str, list[str]] = {}
    for name in _GROUPS:
        group = getattr(form.consent, name)
        text = " ".join((group.explanation or "").casefold().split())
        if text and group.status != "given":
            groups.setdefault(text, []).append(name)
    for names in groups.values():
        if len(names) > 1:
            yield f"RFI-12: the same explanation stands for {' and '.join(names)}; explain for each why it is so there"


def _same_text(form: Form, requests: Sequence[RequestForInformation]) -> Iterator[str]:
    """RFI-16: each recipient is told what it needs, not everybody everything."""
    full = (form.reason or "").strip()
    kinds = sorted({one.recipient.agency for one in requests if full and (one.reason or "").strip() == full})
    if len(kinds) > 1:
        yield f"RFI-16: the full reason goes to {', '.join(kinds)}; `choose --reason` gives each the part it needs"


def _police(enquiry: Enquiry) -> Iterator[str]:
    """TRI-04: where a crime or an immediate risk is indicated the police are consulted; RED does not wait for it."""
    form = enquiry.form
    accused = any(person.alleged_perpetrator for person in form.persons.values())
    risk = form.stage in _STAGES_OF_RISK or enquiry.rag == RagRating.RED
    crime = form.purpose == "prevent_or_detect_crime" or form.crime_or_immediate_risk
    if (risk or crime or accused) and form.police_consultation is None:
        yield (
            "TRI-04: a crime or an immediate risk is indicated and no police consultation is recorded: time, officer, "
            "whether a strategy meeting is held, and the police reference; `enquiry amend` takes it"
        )


def _of_the_requests(requests: Iterable[RequestForInformation]) -> Iterator[str]:
    for one in requests:
        if one.recipient.agency in AGENCY_KINDS:
            for gap in find_warnings(one, agency=load_pack(one.recipient.agency).agency):
                yield f"{gap.requirement}: {one.recipient.participant}: {gap.message}"


def before_deciding(arrived: Iterable[Arrived], *texts: str) -> tuple[str, ...]:
    """Say where a rationale repeats what only the decision maker may see: more people read it (DIS-02)."""
    closed = [wording for one in arrived for wording in _for_few(one)]
    if any(_repeats(text, wording) for text in texts for wording in closed):
        return ("DIS-02: the rationale repeats the words of a part for the decision maker alone; say it in others",)
    return ()


def _for_few(one: Arrived) -> Iterator[str]:
    yield from (item.wording for item in (one.sealed.items if one.sealed else ()))
    alone = {Audience.DECISION_MAKER.value}
    yield from (
        item.wording for item in one.response.items if item.marking.onward and set(item.marking.onward) <= alone
    )


def _repeats(text: str, wording: str) -> bool:
    """Say whether a run of words of `wording` stands in `text`, whatever the case and the punctuation."""
    said, held = _words(text), _words(wording)
    length = min(_WORDS_OF_A_QUOTATION, len(held))
    runs = {tuple(said[start : start + length]) for start in range(len(said) - length + 1)}
    return bool(length) and any(tuple(held[start : start + length]) in runs for start in range(len(held) - length + 1))


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.casefold())
