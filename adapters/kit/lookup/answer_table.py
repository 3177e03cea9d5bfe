"""From an agency's own codes to the questions they answer, by a table in the agency's folder and by nothing else.

`adapters/<kind>/answers.toml` has a section for each kind of code (`record_type`, `code`, ...), each row a code and
the question codes it answers. The text of a record is never searched. A code that stands in no row answers nothing,
so that its record is withheld as not relevant, visibly, until somebody adds the row.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources


@dataclass(frozen=True)
class AnswerTable:
    """Section -> code -> question codes."""

    sections: Mapping[str, Mapping[str, tuple[str, ...]]]

    @classmethod
    def of(cls, package: str) -> "AnswerTable":
        """Read `answers.toml` of an agency's package, for example `adapters.housing`."""
        plain = tomllib.loads(resources.files(package).joinpath("answers.toml").read_text("utf-8"))
        return cls({name: {code: tuple(rows) for code, rows in section.items()} for name, section in plain.items()})

    def answers(self, codes: Iterable[tuple[str, str]]) -> list[str]:
        """Give the questions that these (section, code) pairs answer, each once, in the order of the pairs."""
        found = (question for section, code in codes for question in self.sections.get(section, {}).get(code, ()))
        return list(dict.fromkeys(found))
