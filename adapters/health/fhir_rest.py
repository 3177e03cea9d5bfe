"""Looking patients up on a FHIR server, and fetching what it holds about those who match.

Guarantees: names and numbers go in the body of a POST search (FHIR R4 §3.1.1.4, `_search`), never in an address, which
servers and proxies log; records are fetched only for patients who match at least possibly; a page is followed only on
the same server; a search that the server refuses is named, and is never "nothing there".
Refuses to know: how the token was come by.
"""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

import httpx2
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from adapters.health.fhir_codes import NHS_NUMBER
from adapters.health.fhir_parse import CLINICAL_TYPES, Parsed, Resource, parse_document
from adapters.health.fhir_persons import key_of, person_of
from adapters.kit.lookup.match_weights import MatchingPolicy
from adapters.kit.lookup.matching import Certainty, match
from adapters.kit.lookup.records import RecordsUnavailableError
from adapters.kit.lookup.tables import MAX_FILE_BYTES
from adapters.kit.lookup.unread import BadField, Unread
from schemas.content.person import Person
from schemas.content.rfi import RequestForInformation

_PAGES: Final = 500
_ACCEPT: Final = "application/fhir+json, application/fhir+xml;q=0.9"
_TIMEOUT: Final = httpx2.Timeout(20.0)
# A look-up only reads, so it is begun again from the start when a connection fails; a refusal is not tried again.
_RETRIED: Final = Retrying(
    stop=stop_after_attempt(3),
    wait=wait_random_exponential(multiplier=0.1, max=2),
    retry=retry_if_exception_type(httpx2.TransportError),
    reraise=True,
)
# The client logs the address of every request; a server's next page may name a patient in it.
logging.getLogger("httpx2").setLevel(logging.WARNING)


@dataclass(frozen=True)
class FhirServer:
    """A FHIR R4 server: its base address, and a bearer token that is never shown."""

    base_url: str
    token: str | None = field(default=None, repr=False)

    def look_up(self, request: RequestForInformation, *, policy: MatchingPolicy) -> Parsed:
        """Fetch the patients who may be persons of `request`, and their records. Raises `RecordsUnavailableError`."""
        try:
            return _RETRIED(self._once, request, policy=policy)
        except httpx2.HTTPError:
            raise RecordsUnavailableError("the FHIR server could not be reached") from None

    def _once(self, request: RequestForInformation, *, policy: MatchingPolicy) -> Parsed:
        with self._client() as client:
            return _LookUp(client, request, policy).run()

    def _client(self) -> httpx2.Client:
        headers = {"Accept": _ACCEPT, **({"Authorization": f"Bearer {self.token}"} if self.token else {})}
        return httpx2.Client(base_url=self.base_url, headers=headers, timeout=_TIMEOUT, follow_redirects=False)


class _LookUp:
    """One look-up on one server: searches, pages, and what could not be read."""

    def __init__(self, client: httpx2.Client, request: RequestForInformation, policy: MatchingPolicy) -> None:
        self.client, self.request, self.policy = client, request, policy
        self.resources: dict[str, Resource] = {}
        self.unread: list[Unread] = []

    def run(self) -> Parsed:
        patients: dict[str, Resource] = {}
        for person in self.request.persons.values():
            for form in _patient_searches(person):
                patients |= {key_of(one): one for one in self._search("Patient", form) if one.kind == "Patient"}
        likely = {ref: one for ref, one in patients.items() if self._may_be_asked_about(one)}
        self.resources |= likely
        for ref in likely:
            for kind in (*CLINICAL_TYPES, "RelatedPerson", "Consent"):
                found = self._search(kind, {"patient": ref})
                self.resources |= {f"{key_of(one)}": one for one in found}
        return Parsed(tuple(self.resources.values()), tuple(dict.fromkeys(self.unread)))

    def _may_be_asked_about(self, patient: Resource) -> bool:
        try:
            held = person_of(patient)
        except BadField as bad:
            self.unread.append(bad.at(patient.file, patient.entry))
            return False
        on: date = self.request.issued_at.date()
        asked = self.request.persons.values()
        return any(match(one, held, on=on, policy=self.policy).certainty is not Certainty.NONE for one in asked)

    def _search(self, kind: str, form: Mapping[str, str]) -> Iterable[Resource]:
        page = self._page(kind, self.client.post(f"{kind}/_search", data=dict(form)))
        found = list(page.resources)
        for _ in range(_PAGES):
            if page.next_page is None:
                return found
            if not self._is_here(page.next_page):
                self._gap(kind, "the next page is on another server", "have the server's own address corrected")
                return found
            page = self._page(kind, self.client.get(page.next_page))
            found += page.resources
        self._gap(kind, f"has more than {_PAGES} pages", "ask the server's operator")
        return found

    def _page(self, kind: str, response: httpx2.Response) -> Parsed:
        if response.status_code != httpx2.codes.OK:
            self._gap(kind, f"the server refused the search (HTTP {response.status_code})", "ask the server's operator")
            return Parsed()
        if len(response.content) > MAX_FILE_BYTES:
            self._gap(kind, "the answer is too large", "ask the server's operator")
            return Parsed()
        is_xml = "xml" in response.headers.get("content-type", "")
        page = parse_document(response.content, file=f"search for {kind}", is_xml=is_xml)
        self.unread += page.unread
        return page

    def _is_here(self, address: str) -> bool:
        here, there = self.client.base_url, self.client.base_url.join(address)
        return (here.scheme, here.host, here.port) == (there.scheme, there.host, there.port)

    def _gap(self, kind: str, problem: str, remedy: str) -> None:
        self.unread.append(Unread(f"search for {kind}", None, None, problem, remedy))


def _patient_searches(person: Person) -> Iterable[dict[str, str]]:
    if number := person.identifiers.get("nhs_number"):
        yield {"identifier": f"{NHS_NUMBER}|{number}"}
    for name in (person.name, *person.aliases):
        if name and person.dob:
            yield {"family": name.split()[-1], "birthdate": person.dob.isoformat()}
