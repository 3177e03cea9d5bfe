"""The agreed catalogue of questions: what may be asked, what an answer protects, what each kind is asked.

A request carries its questions with their marks, so that it can be read in ten years. The marks decide whether
confidence may be overridden (§3.8) and whether an old record still counts (§3.7); therefore a recipient never takes
them from the sender: `as_agreed` replaces them with the catalogue's, and a question outside it loses every mark.
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources

from schemas.content.rfi import Question, RequestForInformation


@cache
def _file() -> Mapping[str, Mapping[str, object]]:
    return tomllib.loads(resources.files("adapters.kit").joinpath("questions.toml").read_text("utf-8"))


@cache
def catalogue() -> Mapping[str, Question]:
    """Give every agreed question by its code."""
    return {code: Question.model_validate(plain, strict=False) for code, plain in _file()["questions"].items()}


def asked_by_default(kind: str) -> tuple[str, ...]:
    """Give the codes of the questions that agencies of `kind` are asked unless the coordinator deselects some."""
    codes = _file()["asked"].get(kind, [])
    return tuple(str(code) for code in codes) if isinstance(codes, list) else ()


def as_agreed(request: RequestForInformation) -> RequestForInformation:
    """Give the request with the catalogue's marks on its questions, whatever marks the sender put there."""
    agreed = catalogue()
    questions = {code: agreed.get(code, Question(text=question.text)) for code, question in request.questions.items()}
    return request.model_copy(update={"questions": questions})
