"""How long disclosure decisions take, against bare Cedar doing the same number of authorisations, in one run.

    python -m tests.bench.bench_disclosure

A: our pack, one record at a time. B: our pack, a response of 500 records. The alternative is cedarpy as its manual
starts with: policy, schema and entity texts handed in with every question. C: the same questions with parsed handles
and nothing else, which is the floor that Cedar itself sets. A median is of its own repetitions; ratios are within
this run, so they hold on a busy machine. The shared cases' records are not needed: the records are our own.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import cedarpy

from adapters.kit.disclosure import Pack, load_pack
from adapters.kit.disclosure.facts import asked, record_facts
from adapters.kit.disclosure.reading import read_record
from schemas.content.record import Record
from schemas.content.rfi import RequestForInformation
from tests.unit.disclosure.asking import a_request, plain_record

MANY = 500
KIND = "police"
SHAPES: tuple[dict[str, Any], ...] = (
    {},
    {"nature": "own_words", "in_confidence": True, "answers": ["harm"]},
    {"flags": ["live_investigation"], "summary": "of interest"},
    {"mentions": ["other:Una Vale-Test"], "summary": "a dispute"},
    {"originator": "health"},
    {"answers": []},
    {"flags": ["draft", "acquittal"]},
    {"grading": {"source": 1, "assessment": "B", "handling": "C", "conditions": ["ring first"]}},
)


def main() -> None:
    """Print medians, the time of a whole response, and the ratios."""
    pack, request = load_pack(KIND), a_request(KIND)
    records = [_record(number) for number in range(MANY)]
    single = _each(records, lambda record: pack.assess(request, [record]))
    whole = min(_once(lambda: pack.assess(request, records)) for _ in range(5))
    asks = _questions(pack, request, records)
    texts = _each(asks[:40], lambda ask: _bare_text(pack, ask))
    floor = _each(asks, lambda ask: _bare_handles(ask, handles=_handles(pack)))
    per_record = len(asks) / MANY
    rows = [
        ("policies in the pack", f"{len(pack.policies)}"),
        ("questions to Cedar a record", f"{per_record:.2f}"),
        ("A one decision, median", f"{single * 1e6:.0f} us"),
        (f"B {MANY} records in one response", f"{whole:.3f} s, {whole / MANY * 1e6:.0f} us a record"),
        ("  bare cedarpy with texts, a record", f"{texts * per_record * 1e6:.0f} us"),
        ("C bare cedarpy with handles, a record", f"{floor * per_record * 1e6:.0f} us"),
        ("B against bare texts", f"{texts * per_record * MANY / whole:.1f} times as fast"),
        ("B against the floor C", f"{whole / (floor * per_record * MANY):.2f} times the time"),
    ]
    sys.stdout.write("".join(f"{name:<40}{value}\n" for name, value in rows))


def _record(number: int) -> Record:
    shape = SHAPES[number % len(SHAPES)]
    plain = plain_record(record_type="crime", category="criminal", subjects=["karl"], record_id=f"r{number}")
    return read_record({**plain, **shape})


Ask = tuple[dict[str, Any], str]


def _questions(pack: Pack, request: RequestForInformation, records: Sequence[Record]) -> list[Ask]:
    """Give the questions that our pack puts to Cedar for these records, each with its entity as JSON."""
    about, asks = asked(request), []
    context = json.dumps(_context())
    for record in records:
        facts = record_facts(record, asked=about, agency=pack.agency)
        (decision,) = pack.assess(request, [record]).decisions
        rungs = ["share"] if decision.outcome == "share" else ["share", str(decision.outcome)]
        marking = {"share": "mark_shared", "summarise": "mark_summarised", "indicate_only": "mark_indicated"}
        actions = [*rungs, *([marking[decision.outcome]] if decision.outcome in marking else [])]
        uid = {"type": "Record", "id": "r"}
        entity = f'[{{"uid":{json.dumps(uid)},"attrs":{facts.entity_json},"parents":[]}}]'
        asks += [(_question(action, uid, context), entity) for action in actions]
    return asks


def _question(action: str, resource: dict[str, str], context: str) -> dict[str, Any]:
    holder, named = {"type": "Agency", "id": KIND}, {"type": "Action", "id": action}
    return {"principal": holder, "action": named, "resource": resource, "context": context}


def _context() -> dict[str, Any]:
    switches = dict.fromkeys(("emergency_exception", "gap_queried"), False)
    return {"addressee": "mash_team", "onward_if_shared": [], "gateway": True, "override": True, **switches}


def _bare_text(pack: Pack, ask: Ask) -> None:
    question, entity = ask
    cedarpy.is_authorized(question, f"{pack.files.common}\n{pack.files.own}", entity, schema=pack.files.schema)


def _handles(pack: Pack) -> tuple[Any, Any]:
    if pack.kind not in _PARSED:
        policies = cedarpy.PolicySet.from_str(f"{pack.files.common}\n{pack.files.own}")
        _PARSED[pack.kind] = (policies, cedarpy.Schema.from_str(pack.files.schema))
    return _PARSED[pack.kind]


_PARSED: dict[str, tuple[Any, Any]] = {}


def _bare_handles(ask: Ask, *, handles: tuple[Any, Any]) -> None:
    question, entity = ask
    policies, schema = handles
    cedarpy.is_authorized(question, policies, cedarpy.Entities.from_json_str(entity, schema), schema=schema)


def _each(things: Sequence[Any], act: Callable[[Any], object]) -> float:
    return statistics.median(_once(partial(act, thing)) for thing in things)


def _once(act: Callable[[], object]) -> float:
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
