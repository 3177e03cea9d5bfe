"""The codes of disclosure: outcomes, reasons, conditions, audiences, and the closed vocabularies of a record.

Source: the disclosure rules, §2 (conditions, roles, originators) and the case format (outcomes, reasons, audiences,
record fields). A value outside these lists is not an error of the reader: it is an unknown thing, and the rules treat
it as the strictest (§3.1a). Therefore records carry plain strings and are held against these sets by the rules.
"""

from enum import StrEnum
from typing import Final

from schemas.rating import RagRating as RagRating


class Outcome(StrEnum):
    """What may leave, from most to least open; of several proposals the strictest wins (§1.1)."""

    SHARE = "share"
    SUMMARISE = "summarise"
    INDICATE_ONLY = "indicate_only"
    REFER_TO_ORIGINATOR = "refer_to_originator"
    WITHHOLD = "withhold"
    WITHHOLD_SILENT = "withhold_silent"


OUTCOMES_OPEN_TO_STRICT: Final = tuple(Outcome)


class Reason(StrEnum):
    """Why a decision came out as it did; a withheld record always has one (§1.7, LAW-27)."""

    RELEVANT_NECESSARY = "RELEVANT_NECESSARY"
    NOT_RELEVANT = "NOT_RELEVANT"
    EXCESSIVE = "EXCESSIVE"
    THIRD_PARTY_UNCONNECTED = "THIRD_PARTY_UNCONNECTED"
    IDENTITY_UNCONFIRMED = "IDENTITY_UNCONFIRMED"
    SOURCE_PROTECTION = "SOURCE_PROTECTION"
    LIVE_INVESTIGATION = "LIVE_INVESTIGATION"
    HANDLING_CONDITIONS = "HANDLING_CONDITIONS"
    CLASSIFICATION_TOO_HIGH = "CLASSIFICATION_TOO_HIGH"
    SECOND_HAND = "SECOND_HAND"
    MARAC_GOVERNED = "MARAC_GOVERNED"
    MAPPA_GOVERNED = "MAPPA_GOVERNED"
    LEGAL_RESTRICTION_GRA = "LEGAL_RESTRICTION_GRA"
    LEGAL_RESTRICTION_ADOPTION = "LEGAL_RESTRICTION_ADOPTION"
    LEGAL_RESTRICTION_HFEA = "LEGAL_RESTRICTION_HFEA"
    LEGAL_RESTRICTION_SSAA = "LEGAL_RESTRICTION_SSAA"
    COURT_RESTRICTED = "COURT_RESTRICTED"
    LEGAL_PRIVILEGE = "LEGAL_PRIVILEGE"
    LOCATION_PROTECTED = "LOCATION_PROTECTED"
    IDENTITY_PROTECTED = "IDENTITY_PROTECTED"
    CONFIDENCE_OVERRIDDEN = "CONFIDENCE_OVERRIDDEN"
    CONFIDENCE_UPHELD = "CONFIDENCE_UPHELD"
    CONSENT_REFUSED_NO_POWER = "CONSENT_REFUSED_NO_POWER"
    MORE_DETRIMENTAL_TO_CHILD = "MORE_DETRIMENTAL_TO_CHILD"
    OPINION_UNVERIFIED = "OPINION_UNVERIFIED"
    OUT_OF_DATE = "OUT_OF_DATE"
    RETENTION_EXPIRED = "RETENTION_EXPIRED"
    WRONG_ROUTE = "WRONG_ROUTE"
    NEEDS_APPROVER = "NEEDS_APPROVER"


class Audience(StrEnum):
    """Who may receive an item; an empty list of audiences means nobody."""

    DECISION_MAKER = "decision_maker"
    MASH_TEAM = "mash_team"
    ASSESSING_SOCIAL_WORKER = "assessing_social_worker"
    RECEIVING_SERVICE = "receiving_service"
    EARLY_HELP = "early_help"
    POLICE = "police"
    REFERRER = "referrer"
    FAMILY = "family"
    NAMED_OTHER = "named_other"


class Condition(StrEnum):
    """What goes with an item to its receiver, or is recorded at the holder (§2)."""

    MASH_PURPOSE_ONLY = "mash_purpose_only"
    EMERGENCY_EXCEPTION_RECORDED = "emergency_exception_recorded"
    RFI_GAP_QUERIED = "rfi_gap_queried"
    OPINION_LABELLED = "opinion_labelled"
    ALLEGATION_LABELLED = "allegation_labelled"
    THIRD_PARTY_REPORT_LABELLED = "third_party_report_labelled"
    INTELLIGENCE_LABELLED = "intelligence_labelled"
    OWN_WORDS_VERBATIM = "own_words_verbatim"
    CONFIDENCE_TEST_RECORDED = "confidence_test_recorded"
    CONSENT_RECORDED = "consent_recorded"
    OBJECTION_RECORDED = "objection_recorded"
    HUMAN_RIGHTS_TEST_RECORDED = "human_rights_test_recorded"
    HANDLING_CONDITIONS_VERBATIM = "handling_conditions_verbatim"
    CONTACT_COORDINATOR = "contact_coordinator"
    IMAGES_ON_REQUEST = "images_on_request"
    REPORTING_RESTRICTION = "reporting_restriction"
    ACQUITTAL_MARKED = "acquittal_marked"
    NECESSITY_NOTE = "necessity_note"
    NO_FAMILY_WITHOUT_POLICE = "no_family_without_police"
    REFER_BACK_BEFORE_ACTION = "refer_back_before_action"
    NO_CHRONOLOGY_COPY = "no_chronology_copy"
    HIDE_FROM_ONLINE_RECORD = "hide_from_online_record"
    NO_PARENT_WITHOUT_DSL = "no_parent_without_dsl"
    SAFE_CONTACT_ONLY = "safe_contact_only"
    GATEWAY_RECORDED = "gateway_recorded"
    NOT_FOR_IMMIGRATION_ENFORCEMENT = "not_for_immigration_enforcement"


class Alert(StrEnum):
    """What has to be seen at once by those who handle the item (§3.11)."""

    URGENT_CONTENT = "urgent_content"
    SECURITY = "security"
    RE_RATE = "re_rate"


CATEGORIES: Final = frozenset(
    [
        "contact_details",
        "demographics",
        "equalities",
        "criminal",
        "police_intelligence",
        "fire",
        "antisocial_behaviour",
        "education",
        "health",
        "sex_life",
        "housing",
        "social_care",
        "financial",
        "images",
        "employment",
    ]
)
NATURES: Final = frozenset(
    (
        "fact",
        "professional_opinion",
        "allegation",
        "intelligence",
        "third_party_report",
        "own_words",
    )
)
OBTAINED: Final = frozenset(("first_hand", "shared_system", "meeting", "told_by_partner"))
CLASSIFICATIONS: Final = ("OFFICIAL", "OFFICIAL-SENSITIVE", "SECRET", "TOP SECRET")
FLAGS: Final = frozenset(
    [
        "live_investigation",
        "covert_source",
        "acquittal",
        "mappa",
        "marac",
        "adoption",
        "gender_recognition",
        "fertility_treatment",
        "court_restricted",
        "legal_privilege",
        "location_protected",
        "identity_protected",
        "anonymous_referrer",
        "whole_record_export",
        "allegation_against_staff",
        "heightened",
        "counselling",
        "bank_details",
        "victim_of_other_case",
        "draft",
    ]
)
CONSENT_STANCES: Final = frozenset(("given", "refused", "withdrawn", "not_asked"))
MATCHES: Final = frozenset(("confirmed", "possible"))
REGIMES_AND_BODIES: Final = frozenset(
    ("marac", "mappa", "hmrc", "court", "other_la", "previous_school", "cafcass", "prison")
)
STAGES: Final = ("below_threshold", "s17", "s47", "strategy_discussion")
PURPOSES: Final = frozenset(
    [
        "threshold_decision",
        "identify_children_at_risk",
        "identify_persons_posing_risk",
        "coordinate_or_signpost",
        "prevent_or_detect_crime",
        "lado",
    ]
)
# Statutory gateways that may be named in a request (LAW-17); a general power alone is none for some recipients.
GATEWAYS: Final = frozenset(
    [
        "ca2004_s10",
        "ca2004_s11",
        "ca2004_s16la",
        "ca1989_s17",
        "ca1989_s47",
        "cda1998_s17",
        "cda1998_s115",
        "ea2002_s175",
        "bcia2009_s55",
        "nhsa2006_s82",
        "cjcsa_s67",
    ]
)
GENERAL_POWERS: Final = frozenset(("lga1972_s111", "localism2011_s1"))
OVERRIDE_GROUNDS: Final = frozenset(
    ("cannot_consent", "not_reasonable_to_obtain", "would_increase_risk", "prejudice_to_crime")
)
REGIMES: Final = frozenset(("uk_gdpr", "dpa_part3"))
GRADING_SOURCES: Final = frozenset((1, 2, 3))
GRADING_ASSESSMENTS: Final = frozenset("ABCDE")
GRADING_HANDLINGS: Final = frozenset("PC")
