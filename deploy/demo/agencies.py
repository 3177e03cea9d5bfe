"""Who takes part in the demonstration: nine synthetic participants of Testfordshire, their users, and whom to ring."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class DemoUser:
    """A user who stands for a post; posts have no names here because no person is invented."""

    name: str
    job_title: str
    roles: tuple[str, ...]


@dataclass(frozen=True)
class DemoAgency:
    """One participant. `records` is the folder of its sample records below `adapters/`, or None; `article_6` what
    it relies on for its answers: its own task, or, where it is no public body, the requester's (ea)."""

    participant: str
    kind: str
    contact: str
    telephone: str
    users: Mapping[str, DemoUser]
    records: str | None = None
    article_6: str = "e"
    opens: tuple[str, ...] = field(default=("gateway", "team"))


COUNCIL = "testford-council"
MANAGER = "p-example"


def _post(user: str, title: str, *roles: str) -> dict[str, DemoUser]:
    return {user: DemoUser(title, title, roles)}


AGENCIES = (
    DemoAgency(
        COUNCIL,
        "la",
        "MASH duty desk",
        "0113 496 0100",
        {MANAGER: DemoUser("P. Example", "MASH team manager", ("mash_team_manager", "decision_maker"))},
        opens=("gateway", "team", "decision_maker", "protected"),
    ),
    DemoAgency(
        "testford-police",
        "police",
        "Public protection desk",
        "0113 496 0110",
        _post("ppd-sergeant", "Public protection desk sergeant", "ppd_supervisor")
        | _post("fiu-duty", "Force intelligence unit duty officer", "force_intelligence_unit")
        | _post("sio", "Senior investigating officer", "senior_investigating_officer"),
        "police/sample",
    ),
    DemoAgency(
        "testford-health",
        "health",
        "MASH health representative",
        "0113 496 0120",
        _post("health-rep", "MASH health representative", "mash_health_lead")
        | _post("named-nurse", "Named nurse", "named_nurse")
        | _post("named-doctor", "Named doctor", "named_doctor"),
        "health/sample",
    ),
    DemoAgency(
        "testford-education",
        "education",
        "MASH education representative",
        "0113 496 0130",
        _post("dsl", "Designated safeguarding lead", "designated_safeguarding_lead"),
        "education/sample",
    ),
    DemoAgency(
        "testford-early-help",
        "la",
        "Early help duty manager",
        "0113 496 0140",
        _post("early-help", "Early help team manager", "team_manager"),
        "la/sample",
    ),
    DemoAgency(
        "testford-idva",
        "idva",
        "IDVA duty line",
        "0113 496 0150",
        _post("idva-manager", "IDVA service manager", "idva_service_manager"),
        "idva/sample",
        article_6="ea",
    ),
    DemoAgency(
        "testford-probation",
        "probation",
        "Duty probation officer",
        "0113 496 0160",
        _post("probation-lead", "Probation safeguarding lead", "probation_safeguarding_lead"),
        "probation/sample",
    ),
    DemoAgency(
        "testford-housing",
        "housing",
        "Tenancy safeguarding desk",
        "0113 496 0170",
        _post("housing-lead", "Housing safeguarding lead", "housing_safeguarding_lead"),
        "housing/sample",
    ),
    DemoAgency(
        "testford-recovery",
        "substance_misuse",
        "Recovery duty worker",
        "0113 496 0180",
        _post("recovery-lead", "Recovery safeguarding lead", "substance_misuse_safeguarding_lead")
        | _post("clinician", "Treating clinician", "treating_clinician"),
        "substance_misuse/sample",
        article_6="ea",
    ),
)

ASKED: Mapping[str, Mapping[str, object]] = {
    "testford-police": {"rationale": "crimes, notices and intelligence about the named adults"},
    "testford-health": {"rationale": "health of the children and parenting capacity"},
    "testford-education": {"rationale": "school of both children; the school made the contact"},
    "testford-early-help": {"rationale": "history with early help and adult social care"},
    "testford-idva": {"rationale": "indicators of domestic abuse", "public_task_statement": True},
    "testford-probation": {
        "rationale": "reason to believe that Dean is supervised",
        "belief_of_involvement": 'the school heard from Carys that Dean "sees his probation officer on Mondays"',
    },
    "testford-housing": {"rationale": "council tenancy at 4 Example Row", "public_task_statement": True},
    "testford-recovery": {"rationale": "alcohol use by Dean", "public_task_statement": True},
}

NOT_CONTACTED: Mapping[str, str] = {
    "dwp": "no relevance stated",
    "yot": "no child of ten or more in the household",
    "fire": "no indication of a fire risk",
    "ambulance": "no call known to the referrer",
    "ukvi": "no belief in a pending application",
}
