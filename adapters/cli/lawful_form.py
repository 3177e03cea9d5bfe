"""The form of an answer's lawfulness as a file: YAML with the questions in words, read with errors that name the field.

Errors never quote what was written: it may be about a person.
"""

import json
import tomllib
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import ValidationError

from adapters.kit.lawful.lawfulness import ARTICLE_8_AIMS, GATES, NECESSITIES, RESTS_ON
from adapters.kit.refusal import Refused
from schemas.content.lawfulness import LawfulNotes

_HEAD: Final = """\
# {rfi}: what is written down so that this answer is lawful. Fill in what is empty, correct what is not so, then
#   mash respond record {rfi} FILE
# answer.not_informed_reason   where the family does not know: risk_to_someone | prejudice_to_investigation (LAW-08)
# answer.necessity             {necessities} (LAW-23)
# answer.human_rights          lawful, necessary, proportionate: true if so. aim (Article 8(2)):
#                              {aims} (LAW-22)
# answer.paragraph_18          substantial_public_interest: true if it is (LAW-12)
# answer.checklist             the ten questions (LAW-24): whose information is it; on what lawful basis; would a
#                              pseudonymised answer do; how is the person informed; has anybody asked not to share; how
#                              much is necessary; is it accurate, and fact told from opinion; who needs to know; is the
#                              way secure; where is the decision recorded
# records.ID.confidence_gate   {gates} (LAW-19)
# records.ID.confidence_test   the seven questions (LAW-20): is it proportionate; how vulnerable are those at risk; what
#                              does it do to the person; would other means do; public safety; does it prevent crime or
#                              uphold rights; does it protect others
# records.ID.views_of_confider what the body that is owed the confidence says of it, if there was time (LAW-21)
# records.ID.objection_decided why it is shared although the person asked not to (LAW-26)
# records.ID.rests_on          of a refusal: {rests_on} (LAW-27)
# records.ID.weighing          of a refusal: what may happen if it is shared, and if not; child_first: true (LAW-30)
# records.ID.other_route       of what is not mentioned at all: what came of weighing a sealed or spoken word (DIS-22)
"""


def form_text(rfi: str, notes: LawfulNotes) -> str:
    """Give the form as text, with every question explained above it."""
    head = _HEAD.format(
        rfi=rfi,
        necessities=" | ".join(sorted(NECESSITIES)),
        aims=" | ".join(sorted(ARTICLE_8_AIMS)),
        gates=" | ".join(sorted(GATES)),
        rests_on=" | ".join(sorted(RESTS_ON)),
    )
    plain = notes.model_dump(mode="json")
    return head + str(yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=110))


def read_notes(path: Path) -> LawfulNotes:
    """Read a filled-in form. Raises `Refused`, which names the field and quotes nothing."""
    try:
        return LawfulNotes.from_plain(_read(path))
    except ValidationError as fault:
        errors = fault.errors(include_input=False, include_url=False)
        raise Refused([f"{path.name}: {'.'.join(map(str, one['loc']))}: {one['msg']}" for one in errors]) from None
    except (OSError, ValueError, yaml.YAMLError) as fault:
        raise Refused([f"{path.name}: not readable as a form ({type(fault).__name__})"]) from None


def _read(path: Path) -> dict[str, Any]:
    text = path.read_text("utf-8")
    if path.suffix == ".json":
        plain = json.loads(text)
        plain.pop("schema", None)
    elif path.suffix == ".toml":
        plain = tomllib.loads(text)
    else:
        plain = yaml.safe_load(text)
    if not isinstance(plain, dict):
        raise ValueError("a form is a table of fields")
    return _without_nothing(plain)


def _without_nothing(plain: dict[str, Any]) -> dict[str, Any]:
    """Leave out what was left empty, so that a list or a switch without a value keeps its default."""
    cleared = {key: _without_nothing(value) if isinstance(value, dict) else value for key, value in plain.items()}
    return {key: value for key, value in cleared.items() if value is not None}
