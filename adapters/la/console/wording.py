"""Every code that a coordinator may meet, in plain words: one table a vocabulary, and one way to read them.

A code that a table does not know is never dropped and never guessed: `in_words` shows it as unrecognised, since an
unknown condition still binds. Sources of the codes: disclosure rules §2 and §3.11; a structure test holds each table
against its vocabulary, so that a new code cannot arrive without words.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from adapters.la.console.collation import Status
from adapters.la.console.legible import on_screen
from schemas.content.codes import Alert, Audience, Condition, Reason
from schemas.content.response import Nil, TraceStatus


class Left(StrEnum):
    """Why an item is not handed to a reader (`handover`); told to the coordinator, never to the reader."""

    SEALED = "sealed"
    DECISION_MAKER_ONLY = "decision_maker_only"
    AUDIENCE_NOT_LISTED = "audience_not_listed"
    NOBODY_LISTED = "nobody_listed"
    INTELLIGENCE = "intelligence"
    CLASSIFICATION = "classification"


STATUSES: Final[Mapping[str, str]] = MappingProxyType(
    {
        Status.SENT: "no reply: sent, not yet confirmed as received",
        Status.RECEIVED: "no reply: received, seen by nobody yet",
        Status.SEEN: "no reply: somebody there has seen it",
        Status.PARTIAL: "partly answered",
        Status.ANSWERED: "answered",
        Status.BOUNCED: "sent back as incomplete",
        Status.CANCELLED: "cancelled: not asked any more",
        Status.PARTICIPANT_LEFT: "the agency has left: no answer will come",
    }
)
NILS: Final[Mapping[str, str]] = MappingProxyType(
    {
        Nil.NO_TRACE: "nobody of this family found in its records",
        Nil.NOTHING_TO_SHARE: "somebody found; nothing to share",
    }
)
TRACES: Final[Mapping[str, str]] = MappingProxyType(
    {
        TraceStatus.NO_TRACE: "not found",
        TraceStatus.POSSIBLE_MATCH: "possible match, not confirmed",
        TraceStatus.TRACE: "found",
        TraceStatus.UNKNOWN: "not known: the records could not be read to the end",
    }
)
AUDIENCES: Final[Mapping[str, str]] = MappingProxyType(
    {
        Audience.DECISION_MAKER: "the decision maker",
        Audience.MASH_TEAM: "the MASH team",
        Audience.ASSESSING_SOCIAL_WORKER: "the assessing social worker",
        Audience.RECEIVING_SERVICE: "the receiving service",
        Audience.EARLY_HELP: "early help",
        Audience.POLICE: "police",
        Audience.REFERRER: "the referrer",
        Audience.FAMILY: "the family",
        Audience.NAMED_OTHER: "another person whom the originator named",
    }
)
NATURES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "fact": "fact",
        "professional_opinion": "professional opinion",
        "allegation": "allegation, not established",
        "intelligence": "intelligence, not established fact",
        "third_party_report": "reported by somebody else",
        "own_words": "the person's own words",
    }
)
OBTAINED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "first_hand": "first hand",
        "shared_system": "read in a shared system",
        "meeting": "learned at a meeting",
        "told_by_partner": "told by a partner",
    }
)
ALERTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        Alert.URGENT_CONTENT: "urgent: read now",
        Alert.SECURITY: "security: tell the security officer",
        Alert.RE_RATE: "consider rating the enquiry anew",
    }
)
CONDITIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        Condition.MASH_PURPOSE_ONLY: (
            "For the immediate MASH risk assessment only; obtain it anew for any later assessment."
        ),
        Condition.EMERGENCY_EXCEPTION_RECORDED: (
            "Given although the agreement is not in force, as a recorded exception for a RED enquiry."
        ),
        Condition.RFI_GAP_QUERIED: "The request had gaps; it was worked all the same and the gaps were queried.",
        Condition.OPINION_LABELLED: "A professional's opinion or observation; keep it apart from fact.",
        Condition.ALLEGATION_LABELLED: "An allegation; it is not established.",
        Condition.THIRD_PARTY_REPORT_LABELLED: "Reported by somebody else, not seen by the agency itself.",
        Condition.INTELLIGENCE_LABELLED: "Intelligence; read it with its grading.",
        Condition.OWN_WORDS_VERBATIM: "The person's own words; quote them exactly or not at all.",
        Condition.CONFIDENCE_TEST_RECORDED: (
            "Given in confidence; the agency has recorded why the public interest in sharing prevails."
        ),
        Condition.CONSENT_RECORDED: "The agency relies on the person's recorded consent.",
        Condition.OBJECTION_RECORDED: "The person objects; the agency has recorded why it shares all the same.",
        Condition.HUMAN_RIGHTS_TEST_RECORDED: "About a person who has died; confidence and human rights were weighed.",
        Condition.HANDLING_CONDITIONS_VERBATIM: "Police handling conditions apply, word for word as given.",
        Condition.CONTACT_COORDINATOR: "Ring the MAPPA co-ordinator.",
        Condition.IMAGES_ON_REQUEST: "Images exist; ask the agency for them.",
        Condition.REPORTING_RESTRICTION: "A court order restricts publishing who this is.",
        Condition.ACQUITTAL_MARKED: "The person was acquitted; always say so.",
        Condition.NECESSITY_NOTE: "A note at the agency says why giving this is necessary and proportionate.",
        Condition.NO_FAMILY_WITHOUT_POLICE: "Do not share with the family unless police confirm it.",
        Condition.REFER_BACK_BEFORE_ACTION: "Ring the agency before acting on it.",
        Condition.NO_CHRONOLOGY_COPY: "Do not copy it into a chronology.",
        Condition.HIDE_FROM_ONLINE_RECORD: ("Hide it from the patient's online record: somebody else may be looking."),
        Condition.NO_PARENT_WITHOUT_DSL: (
            "Do not show it to a parent without the school's designated safeguarding lead."
        ),
        Condition.SAFE_CONTACT_ONLY: (
            "Reach the client only through the adviser, at the safe times, never on a number found elsewhere."
        ),
        Condition.GATEWAY_RECORDED: "The statutory gateway for this release is recorded.",
        Condition.NOT_FOR_IMMIGRATION_ENFORCEMENT: "Not to be used for immigration enforcement.",
    }
)
REASONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        Reason.RELEVANT_NECESSARY: "relevant and necessary",
        Reason.NOT_RELEVANT: "does not answer what was asked",
        Reason.EXCESSIVE: "more than is needed",
        Reason.THIRD_PARTY_UNCONNECTED: "about somebody outside the request",
        Reason.IDENTITY_UNCONFIRMED: "not certain that it is the same person",
        Reason.SOURCE_PROTECTION: "protects a source",
        Reason.LIVE_INVESTIGATION: "a live investigation",
        Reason.HANDLING_CONDITIONS: "handling conditions bind it",
        Reason.CLASSIFICATION_TOO_HIGH: "classified too highly for this system",
        Reason.SECOND_HAND: "somebody else's information",
        Reason.MARAC_GOVERNED: "governed by the MARAC agreement",
        Reason.MAPPA_GOVERNED: "governed by MAPPA",
        Reason.LEGAL_RESTRICTION_GRA: "a statute restricts it",
        Reason.LEGAL_RESTRICTION_ADOPTION: "a statute restricts it",
        Reason.LEGAL_RESTRICTION_HFEA: "a statute restricts it",
        Reason.LEGAL_RESTRICTION_SSAA: "no statutory gateway was named",
        Reason.COURT_RESTRICTED: "a court restricts it",
        Reason.LEGAL_PRIVILEGE: "privileged legal advice",
        Reason.LOCATION_PROTECTED: "protects a place of safety",
        Reason.IDENTITY_PROTECTED: "protects somebody who could come to harm",
        Reason.CONFIDENCE_OVERRIDDEN: "held in confidence; the public interest prevailed",
        Reason.CONFIDENCE_UPHELD: "held in confidence",
        Reason.CONSENT_REFUSED_NO_POWER: "consent refused, and no other ground to share",
        Reason.MORE_DETRIMENTAL_TO_CHILD: "sharing would harm the child more than not sharing",
        Reason.OPINION_UNVERIFIED: "unverified or only a draft",
        Reason.OUT_OF_DATE: "too old for what was asked",
        Reason.RETENTION_EXPIRED: "past its retention period",
        Reason.WRONG_ROUTE: "has a route of its own, not this one",
        Reason.NEEDS_APPROVER: "has to be coded or approved before it can be assessed",
    }
)
ORIGINATORS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "police": "police",
        "health": "health",
        "education": "education",
        "la": "the local authority",
        "idva": "IDVA",
        "probation": "probation",
        "housing": "housing",
        "yot": "youth offending",
        "dwp": "DWP",
        "ambulance": "ambulance",
        "fire": "fire and rescue",
        "substance_misuse": "substance misuse",
        "voluntary": "voluntary and community",
        "ukvi": "UKVI",
        "marac": "MARAC",
        "mappa": "MAPPA",
        "hmrc": "HMRC",
        "court": "the court",
        "other_la": "another local authority",
        "previous_school": "the previous school",
        "cafcass": "Cafcass",
        "prison": "the prison",
    }
)
DECISIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "no_further_action": "no further action",
        "advice_or_signposting": "advice, or signposting to another service",
        "early_help": "early help",
        "social_care_assessment": "assessment by children's social care",
        "strategy_discussion": "strategy discussion (section 47)",
        "other_agency": "passed to another agency",
    }
)
SOURCES: Final[Mapping[str, str]] = MappingProxyType(
    {"gp": "GP", "dsl": "school's safeguarding lead", "camhs": "CAMHS", "send": "SEND", "hv": "health visiting"}
)
LEVELS: Final[Mapping[str, str]] = MappingProxyType(
    {"1": "universal", "2": "additional", "3": "complex", "4": "acute, statutory"}
)
LEFT_OUT: Final[Mapping[str, str]] = MappingProxyType(
    {
        Left.SEALED: "sealed for the decision maker",
        Left.DECISION_MAKER_ONLY: "for the decision maker alone",
        Left.AUDIENCE_NOT_LISTED: "the originator's list does not name this reader",
        Left.NOBODY_LISTED: "the originator names nobody: it stays on the screen",
        Left.INTELLIGENCE: "intelligence stays with the decision maker",
        Left.CLASSIFICATION: "the classification is unknown or too high: tell the security officer",
    }
)


def in_words(table: Mapping[str, str], code: str) -> str:
    """Say `code` in the words of `table`; a code that it does not know is shown as such, never left out."""
    return table.get(code) or f"unrecognised ({on_screen(code)}): ask the agency"


def listed(words: list[str] | tuple[str, ...]) -> str:
    """Join `words` as a sentence does: "a", "a and b", "a, b and c"; nothing for none."""
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def who_may_receive(onward: tuple[str, ...], *, sealed: bool = False) -> str:
    """Say who may receive an item. The empty list means nobody beyond those for whom it was sealed (SEF §2.6)."""
    if not onward:
        return "nobody beyond the decision maker" if sealed else "nobody beyond the MASH team"
    return listed(tuple(in_words(AUDIENCES, audience) for audience in onward))


def source_name(source: str) -> str:
    """Give a source within an agency's sector as people call it: "gp" is the GP, "health_visiting" health visiting."""
    return SOURCES.get(source, source.replace("_", " "))
