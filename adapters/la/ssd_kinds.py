"""What the rows of each table of the Standard Safeguarding Dataset become, as one table: type, nature, dates, words.

A wording is composed from dates and from what the council entered for exactly this purpose; a need code or a category
of abuse stands in no bare case status, which is released without approval (rules, low-risk types).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

Cells = Mapping[str, Any]
_ANONYMOUS_SOURCE: Final = "9"


def _nothing(_cells: Cells) -> Mapping[str, object]:
    return {}


@dataclass(frozen=True)
class Kind:
    """How rows of one table become records: id and person column, dates, type, nature, and the rest by a function."""

    key: str
    person: str
    start: str
    end: str | None
    record_type: str
    nature: str
    words: Callable[[Cells, str], str]
    same: tuple[str, ...]
    more: Callable[[Cells], Mapping[str, object]] = _nothing


def _source(cells: Cells) -> str:
    return str(cells["cont_contact_source_desc"] or "an unknown source")


def _early_help(cells: Cells, span: str) -> str:
    reason, ended = cells["earl_episode_reason"], cells["earl_episode_end_reason"]
    return f"early help episode {span}{f'; reason: {reason}' if reason else ''}{f'; {ended}' if ended else ''}"


def _contact(cells: Cells) -> Mapping[str, object]:
    anonymous = str(cells["cont_contact_source_code"] or "") == _ANONYMOUS_SOURCE
    return {"flags": ["anonymous_referrer"]} if anonymous else {}


def _other_authority(cells: Cells) -> Mapping[str, object]:
    foreign = str(cells["cppl_cp_plan_ola"] or "").upper() in ("Y", "1")
    return {"originator": "other_la", "obtained": "told_by_partner"} if foreign else {}


KINDS: Final[Mapping[str, Kind]] = {
    "ssd_early_help_episodes": Kind(
        *("earl_episode_id", "earl_person_id", "earl_episode_start_date", "earl_episode_end_date"),
        *("early_help_episode", "fact", _early_help),
        ("earl_episode_start_date", "earl_episode_end_date", "earl_episode_reason", "earl_episode_end_reason"),
    ),
    "ssd_cin_assessments": Kind(
        *("cina_assessment_id", "cina_person_id", "cina_assessment_start_date", "cina_assessment_auth_date"),
        *("cin_assessment", "professional_opinion", lambda _cells, span: f"child in need assessment {span}"),
        ("cina_assessment_start_date", "cina_assessment_auth_date"),
    ),
    "ssd_cin_episodes": Kind(
        *("cine_referral_id", "cine_person_id", "cine_referral_date", "cine_close_date"),
        *("case_status", "fact", lambda _cells, span: f"children's social care episode {span}"),
        ("cine_referral_date", "cine_close_date"),
    ),
    "ssd_contacts": Kind(
        *("cont_contact_id", "cont_person_id", "cont_contact_date", None),
        *("contact_record", "third_party_report", lambda cells, span: f"contact {span} by {_source(cells)}"),
        ("cont_contact_date", "cont_contact_source_code"),
        _contact,
    ),
    "ssd_cp_plans": Kind(
        *("cppl_cp_plan_id", "cppl_person_id", "cppl_cp_plan_start_date", "cppl_cp_plan_end_date"),
        *("case_status", "fact", lambda _cells, span: f"child protection plan {span}"),
        ("cppl_cp_plan_start_date", "cppl_cp_plan_end_date", "cppl_cp_plan_ola"),
        _other_authority,
    ),
    "ssd_cla_episodes": Kind(
        *("clae_cla_episode_id", "clae_person_id", "clae_cla_episode_start_date", "clae_cla_episode_ceased_date"),
        *("placement_record", "fact", lambda _cells, span: f"looked after {span}"),
        ("clae_cla_episode_start_date", "clae_cla_episode_ceased_date"),
        lambda _cells: {"flags": ["location_protected"]},
    ),
}
