"""A rule pack: the common rules and one agency's own, checked, hashed and ready to answer.

Guarantees that an adapter does not start on a pack that is wrong in any line: everything that is wrong is raised at
once, before the first record is looked at. Two packs of the same hash decide alike.
"""

import hashlib
import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Final

from pydantic import ValidationError

from adapters.kit.disclosure.agency_facts import AgencyFacts, read_agency_facts
from adapters.kit.disclosure.cedar import RuleSet, RulesRefusedByCedarError, print_policies
from adapters.kit.disclosure.decision import INCOMPLETE_RFI, Assessment, Decision, Gap
from adapters.kit.disclosure.facts import asked, record_facts
from adapters.kit.disclosure.gaps import find_gaps, find_warnings
from adapters.kit.disclosure.ladder import Asked, Ruling, decide_all
from adapters.kit.disclosure.policy import Policy, problems, read_policies
from adapters.kit.disclosure.request_facts import circumstances, is_red, route_facts
from adapters.kit.disclosure.vocabulary import ANSWER
from schemas.agency import AGENCY_KINDS
from schemas.content.codes import Outcome
from schemas.content.record import Record
from schemas.content.rfi import RequestForInformation

SCHEMA_FILE: Final = "rules.cedarschema"
COMMON_FILES: Final = ("common_request.cedar", "common_record.cedar", "common_weighing.cedar", "common_marking.cedar")
_MOST_ROUTES: Final = 256


class RulePackInvalidError(Exception):
    """The rule pack is wrong in the lines named. Correct them; the adapter does not start on it."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


@dataclass(frozen=True)
class RuleFiles:
    """The texts that a pack is made of. `own` is the agency's `rules.cedar`, `facts` its `agency.toml`."""

    schema: str
    common: str
    own: str
    facts: str

    @classmethod
    def of(cls, texts: Mapping[str, str]) -> "RuleFiles":
        """Take the texts by the names of their files."""
        common = "\n".join(texts[name] for name in COMMON_FILES)
        return cls(schema=texts[SCHEMA_FILE], common=common, own=texts["rules.cedar"], facts=texts["agency.toml"])

    @property
    def hash(self) -> str:
        """Give the SHA-256 of the four texts, each with its length, so that none can run into the next."""
        digest = hashlib.sha256()
        for text in (self.schema, self.common, self.own, self.facts):
            digest.update(len(text.encode()).to_bytes(8, "big") + text.encode())
        return "sha256:" + digest.hexdigest()


@dataclass(frozen=True, repr=False)
class Pack:
    """The rules of one kind of agency, ready to answer. Pure: what it remembers is what it would answer anew.

    `routes`: by what a request says of its route, the rules that close it; the same for every record of an enquiry.
    """

    kind: str
    agency: AgencyFacts
    files: RuleFiles
    common: tuple[Policy, ...]
    own: tuple[Policy, ...]
    route: RuleSet
    ruling: Ruling
    routes: dict[str, tuple[Policy, ...]] = field(default_factory=dict, compare=False)

    @property
    def policies(self) -> tuple[Policy, ...]:
        """Give every policy in the order of the checks: the common rules, then the agency's own."""
        return (*self.common, *self.own)

    @property
    def hash(self) -> str:
        """Give the hash that every decision stores."""
        return self.ruling.pack_hash

    def gaps(self, request: RequestForInformation) -> tuple[Gap, ...]:
        """List what the request lacks (§3.1)."""
        return find_gaps(request, agency=self.agency)

    def wrong_route(self, request: RequestForInformation) -> tuple[Policy, ...]:
        """Give the rules by which this is not the route, in their order; none where it is."""
        facts = json.dumps(route_facts(request, holder=self.kind))
        if facts not in self.routes:
            if len(self.routes) >= _MOST_ROUTES:
                self.routes.clear()
            self.routes[facts] = self._judged_route(facts)
        return self.routes[facts]

    def _judged_route(self, facts: str) -> tuple[Policy, ...]:
        entities = self.route.entities("Request", {"request": facts})
        question = (ANSWER, ("Request", "request"), "{}")
        (answer,) = self.route.ask([question], holder=self.kind, entities=entities)
        if answer.allows:
            return ()
        return tuple(policy for policy in self.policies if policy.id in answer.policies) or _route_of(self.policies)

    def assess(
        self,
        request: RequestForInformation,
        records: Sequence[Record],
        *,
        approvals: Mapping[str, frozenset[str]] | None = None,
    ) -> Assessment:
        """Decide on every record. `approvals`: by record id, the roles that have approved it for this request."""
        warnings = find_warnings(request, agency=self.agency)
        names = [record.record_id or f"record-{number}" for number, record in enumerate(records, start=1)]
        closed = self.wrong_route(request)
        if closed:
            return self._refused(names, closed, warnings)
        gaps = self.gaps(request)
        if gaps and not is_red(request):
            decisions = tuple(
                Decision(name, Outcome.WITHHOLD, bounce=INCOMPLETE_RFI, pack_hash=self.hash) for name in names
            )
            return Assessment(decisions, bounce=gaps, warnings=warnings, pack_hash=self.hash)
        decisions = self._decided(request, zip(names, records, strict=True), bool(gaps), approvals or {})
        return Assessment(decisions, warnings=(*warnings, *gaps), pack_hash=self.hash)

    def _refused(self, names: Sequence[str], closed: Sequence[Policy], warnings: tuple[Gap, ...]) -> Assessment:
        reasons = tuple(dict.fromkeys(word for policy in closed for word in policy.words("reason")))
        rules = tuple(policy.id for policy in closed)
        decisions = tuple(
            Decision(name, Outcome.WITHHOLD, reasons=reasons, grounds=reasons, determined_by=rules, pack_hash=self.hash)
            for name in names
        )
        return Assessment(decisions, warnings=warnings, wrong_route=reasons, pack_hash=self.hash)

    def _decided(
        self,
        request: RequestForInformation,
        named: "zip[tuple[str, Record]]",
        incomplete: bool,
        approvals: Mapping[str, frozenset[str]],
    ) -> tuple[Decision, ...]:
        about = asked(request)
        around = circumstances(request, agency=self.agency, incomplete=incomplete)
        questions = [
            Asked(name, record_facts(record, asked=about, agency=self.agency), frozenset(approvals.get(name, ())))
            for name, record in named
        ]
        return decide_all(questions, circumstances=around, ruling=self.ruling)


@cache
def load_pack(kind: str) -> Pack:
    """Load the pack of one of the fourteen kinds. Raises `RulePackInvalidError`; the adapter must not start."""
    return build_pack(kind, files=installed_files(kind))


def installed_files(kind: str) -> RuleFiles:
    """Read the rule files that are installed for `kind`. Raises `RulePackInvalidError` for an unknown kind."""
    return RuleFiles.of(installed_texts(kind))


def installed_texts(kind: str) -> dict[str, str]:
    """Read the installed rule files by name. Raises `RulePackInvalidError` for an unknown kind."""
    if kind not in AGENCY_KINDS:
        raise RulePackInvalidError([f"{kind!r} is none of the fourteen kinds of agency"])
    kit, own = files(__package__), files("adapters") / kind
    common = {name: (kit / name).read_text("utf-8") for name in (SCHEMA_FILE, *COMMON_FILES)}
    return {**common, **{name: (own / name).read_text("utf-8") for name in ("rules.cedar", "agency.toml")}}


def build_pack(kind: str, *, files: RuleFiles) -> Pack:
    """Check everything about `files` and make a pack of them. Raises `RulePackInvalidError` with every problem."""
    agency = _agency(kind, files.facts)
    try:
        common, own = read_policies(files.common), read_policies(files.own)
        _check(common, own, roles=agency.all_roles)
        return _pack(agency, files=files, common=common, own=own)
    except RulesRefusedByCedarError as error:
        raise RulePackInvalidError(error.problems) from None


def _agency(kind: str, text: str) -> AgencyFacts:
    try:
        agency = read_agency_facts(text)
    except tomllib.TOMLDecodeError as error:
        raise RulePackInvalidError([f"agency.toml: {error}"]) from None
    except ValidationError as error:
        raise RulePackInvalidError([f"agency.toml: {_place(one)}" for one in error.errors()]) from None
    if agency.kind != kind:
        raise RulePackInvalidError([f"agency.toml is of {agency.kind}, not of {kind}"])
    return agency


def _place(error: Mapping[str, object]) -> str:
    where = error["loc"]
    return f"{'.'.join(map(str, where)) if isinstance(where, tuple) else where}: {error['msg']}"


def _check(common: tuple[Policy, ...], own: tuple[Policy, ...], *, roles: frozenset[str]) -> None:
    found = [*problems(common, own_file=False, roles=roles), *problems(own, own_file=True, roles=roles)]
    names = {policy.id for policy in common}
    found += [f"{policy.id}: the name is one of the common rules'" for policy in own if policy.id in names]
    if not any(policy.marks and "onward" in policy.annotations for policy in own):
        found.append("rules.cedar says nowhere who may receive what is shared (@onward)")
    if found:
        raise RulePackInvalidError(found)


def _pack(agency: AgencyFacts, *, files: RuleFiles, common: tuple[Policy, ...], own: tuple[Policy, ...]) -> Pack:
    policies = (*common, *own)
    RuleSet(f"{files.common}\n{files.own}", schema=files.schema)
    marking = tuple(policy for policy in policies if policy.marks)
    route = _route_of(policies)
    closing = tuple(policy for policy in policies if policy not in marking and policy not in route)
    ruling = Ruling(
        holder=agency.kind,
        closing=_rule_set(closing, schema=files.schema),
        marking=_rule_set(marking, schema=files.schema),
        policies={policy.id: policy for policy in policies},
        order={policy.id: number for number, policy in enumerate(policies)},
        roles=agency.role_tokens(),
        pack_hash=files.hash,
    )
    return Pack(agency.kind, agency, files, common, own, _rule_set(route, schema=files.schema), ruling)


def _rule_set(policies: Sequence[Policy], *, schema: str) -> RuleSet:
    return RuleSet(print_policies([policy.plain for policy in policies]), schema=schema)


def _route_of(policies: Sequence[Policy]) -> tuple[Policy, ...]:
    return tuple(policy for policy in policies if ANSWER in policy.actions)
