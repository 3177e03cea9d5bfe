"""The closed vocabulary that rule files are written in, beyond the codes that travel.

Guarantees that a rule file can name nothing else: an annotation, role token or redaction token that is not here makes
the rule pack invalid, and an adapter does not start on it.
"""

from typing import Final

from schemas.content.codes import Condition, Outcome, Reason

# §2, Conditions: an indicator must give nothing away, so of all conditions only these may stand on one.
STAND_ON_AN_INDICATOR: Final = frozenset(
    {
        Condition.HANDLING_CONDITIONS_VERBATIM,
        Condition.CONTACT_COORDINATOR,
        Condition.IMAGES_ON_REQUEST,
        Condition.SAFE_CONTACT_ONLY,
        Condition.RFI_GAP_QUERIED,
        Condition.EMERGENCY_EXCEPTION_RECORDED,
    }
)

# §3.10.5, DIS-22: a statutory bar on existence, a covert source, a security marking; silence is for these alone.
SILENT_GROUNDS: Final = frozenset(
    {
        Reason.LEGAL_RESTRICTION_ADOPTION,
        Reason.LEGAL_RESTRICTION_GRA,
        Reason.LEGAL_RESTRICTION_HFEA,
        Reason.SOURCE_PROTECTION,
        Reason.CLASSIFICATION_TOO_HIGH,
    }
)

SAFEGUARDING_LEAD: Final = "safeguarding_lead"
SECURITY_OFFICER: Final = "security_officer"

# Roles that every agency has, or that a common rule names from outside (§2, Roles).
ROLES_EVERYWHERE: Final = frozenset(
    {
        "identity_checker",
        "summary_author",
        SECURITY_OFFICER,
        "senior_investigating_officer",
        "legal_services",
        "mappa_coordinator",
    }
)

# What a common rule may say instead of a role; agency.toml says which role that is (§2, §3.10).
ROLE_TOKENS: Final = frozenset(
    {SAFEGUARDING_LEAD, "covert_source", "statutory_bar", "adoption", "security_mark", "confidence_refusal"}
)

# What a rule may say in @redact, @refer_to and @refer_beside instead of a person or an originator.
PERSON_TOKENS: Final = frozenset({"outsiders", "protected_mentions", "origins_inside"})
ORIGINATOR_TOKENS: Final = frozenset({"controllers", "others_inside"})
REDACTED_KINDS: Final = frozenset({"address", "phone", "practice", "amounts", "source_identity", "referrer_identity"})

ANNOTATIONS: Final = frozenset(
    {
        "id",  # the stable name that decisions and the ledger keep
        "says",  # the rule in plain English
        "source",
        "reason",
        "change",  # what would have to change for the rule not to apply
        "conditions",
        "approver",  # needed for whatever is shared, summarised or indicated
        "writer",  # like approver, but what has been approved already does not replace it
        "refusal_approver",  # needed before a withholding is said
        "silence_approver",  # needed before a silent withholding is answered as nil
        "onward",
        "alert",
        "redact",
        "refer_to",
        "refer_beside",
        "seals",
    }
)
ANNOTATIONS_EVERY_RULE_HAS: Final = ("id", "says", "source")

ANSWER: Final = "answer"
MORE_OPEN_THAN: Final = {f"more_open_than_{outcome}": outcome for outcome in Outcome if outcome is not Outcome.SHARE}
MARKINGS: Final = frozenset({"mark_anything", "mark_content", "mark_shared", "mark_summarised", "mark_indicated"})
MARKING_OF: Final = {
    Outcome.SHARE: "mark_shared",
    Outcome.SUMMARISE: "mark_summarised",
    Outcome.INDICATE_ONLY: "mark_indicated",
}
CONTENT: Final = frozenset({Outcome.SHARE, Outcome.SUMMARISE})
TEAM: Final = frozenset({"mash_team", "decision_maker"})
