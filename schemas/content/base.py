"""The base of all content models: frozen, closed, strict, and silent about their input in errors."""

import json
from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict


class Content(BaseModel):
    """One piece of message content. Errors never show the value that was refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """Read from plain values as YAML, TOML or a database gives them; dates may be objects or ISO 8601 text.

        Raises `pydantic.ValidationError`; read it with `errors(include_input=False)`.
        """
        return cls.model_validate_json(json.dumps(plain, default=str))

    def canonical_bytes(self) -> bytes:
        """Give the one JSON encoding that is sealed: UTF-8, sorted keys, no spaces, fields left at None omitted."""
        plain = self.model_dump(mode="json", exclude_none=True)
        return json.dumps(plain, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
