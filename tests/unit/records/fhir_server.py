"""A small FHIR R4 server over real HTTP for the tests: searches by POST, in pages, as JSON or as XML.

It serves the resources it is given and nothing else, and remembers the request lines it saw, so that a test can say
what stood in an address.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from fhir.resources.R4B import get_fhir_model_class

PAGE = 2


class FhirServer(ThreadingHTTPServer):
    """Serves `resources`.

    `broken` types are refused with HTTP 500; the first `cuts` searches get no answer, only a closed connection;
    `next_host` sends the next page elsewhere; `loose` gives every patient,
    whoever was searched for.
    """

    daemon_threads = True

    def __init__(self, resources: list[dict[str, Any]], *, as_xml: bool) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.resources, self.as_xml = resources, as_xml
        self.broken: frozenset[str] = frozenset()
        self.next_host: str | None = None
        self.loose = False
        self.cuts = 0
        self.seen: list[str] = []

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/fhir/"


@contextmanager
def serving(resources: list[dict[str, Any]], *, as_xml: bool = False) -> Iterator[FhirServer]:
    """Serve `resources` on a port of its own until the block ends."""
    with FhirServer(resources, as_xml=as_xml) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    server: FhirServer

    def do_POST(self) -> None:
        form = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if self.server.cuts > 0:
            self.server.cuts -= 1
            self.close_connection = True
            return
        kind = urlsplit(self.path).path.removeprefix("/fhir/").removesuffix("/_search")
        self._answer(kind, parse_qs(form), 0)

    def do_GET(self) -> None:
        asked = parse_qs(urlsplit(self.path).query)
        self._answer(urlsplit(self.path).path.removeprefix("/fhir/"), asked, int(asked.pop("_offset", ["0"])[0]))

    def log_message(self, format: str, *args: Any) -> None:
        self.server.seen.append(self.requestline)

    def _answer(self, kind: str, asked: dict[str, list[str]], offset: int) -> None:
        if kind in self.server.broken:
            self._send(500, {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]})
            return
        tests = {} if self.server.loose and kind == "Patient" else asked
        found = [one for one in self.server.resources if one["resourceType"] == kind and _fits(one, tests)]
        page = found[offset : offset + PAGE]
        bundle: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset", "total": len(found)}
        if offset + PAGE < len(found):
            host = self.server.next_host or self.server.base_url
            address = f"{host}{kind}?{urlencode({**{k: v[0] for k, v in asked.items()}, '_offset': offset + PAGE})}"
            bundle["link"] = [{"relation": "next", "url": address}]
        if page:
            bundle["entry"] = [{"resource": one, "search": {"mode": "match"}} for one in page]
        self._send(200, bundle)

    def _send(self, status: int, plain: dict[str, Any]) -> None:
        body, form = json.dumps(plain).encode(), "json"
        if self.server.as_xml:
            model: Any = get_fhir_model_class(plain["resourceType"])
            body, form = model.model_validate_json(body).model_dump_xml(), "xml"
        self.send_response(status)
        self.send_header("Content-Type", f"application/fhir+{form}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _fits(resource: dict[str, Any], asked: dict[str, list[str]]) -> bool:
    return all(_TESTS[name](resource, values[0]) for name, values in asked.items())


def _by_identifier(resource: dict[str, Any], value: str) -> bool:
    return value in (f"{one.get('system')}|{one.get('value')}" for one in resource.get("identifier", []))


def _by_family(resource: dict[str, Any], value: str) -> bool:
    return any(str(name.get("family", "")).lower().startswith(value.lower()) for name in resource.get("name", []))


def _by_birthdate(resource: dict[str, Any], value: str) -> bool:
    return bool(resource.get("birthDate") == value)


def _by_patient(resource: dict[str, Any], value: str) -> bool:
    actors = [one.get("actor", {}) for one in resource.get("participant", [])]
    pointed = (resource.get("subject", {}), resource.get("patient", {}), *actors)
    return value in (one.get("reference") for one in pointed)


_TESTS = {"identifier": _by_identifier, "family": _by_family, "birthdate": _by_birthdate, "patient": _by_patient}
