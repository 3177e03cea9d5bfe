"""The form of an enquiry as a file: TOML that a coordinator fills in once, read with errors that name the field.

`blank()` is the form with every question explained; the command line prints it with `mash enquiry form`.
"""

import json
import tomllib
from importlib import resources
from pathlib import Path

import yaml
from pydantic import ValidationError

from adapters.la.console.enquiry import Form


class FormUnreadable(Exception):
    """The enquiry form cannot be read; mend what the message names and run the command again. Nothing was stored."""


def blank() -> str:
    """Give the empty form, with a line on every field."""
    return resources.files("adapters.la.console").joinpath("form.toml").read_text("utf-8")


def load_form(path: Path) -> Form:
    """Read a form from TOML, YAML or JSON, by the file's ending. Raises `FormUnreadable`."""
    try:
        return Form.from_plain(_read(path))
    except ValidationError as fault:
        lines = (f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in fault.errors(include_input=False))
        raise FormUnreadable(f"{path}: {'; '.join(lines)}") from None
    except (OSError, ValueError, yaml.YAMLError) as fault:
        raise FormUnreadable(f"{path}: {_where(fault)}") from None


def _where(fault: Exception) -> str:
    """Say where the fault is, and nothing of what stands there."""
    if isinstance(fault, yaml.MarkedYAMLError) and fault.problem_mark is not None:
        return f"line {fault.problem_mark.line + 1}: not readable as YAML"
    if isinstance(fault, json.JSONDecodeError):
        return f"line {fault.lineno}: not readable as JSON"
    if isinstance(fault, tomllib.TOMLDecodeError):
        return f"not readable as TOML: {fault}"
    if isinstance(fault, OSError):
        return str(fault.strerror)
    return "not readable as UTF-8 text"


def _read(path: Path) -> dict[str, object]:
    text = path.read_text("utf-8")
    match path.suffix:
        case ".json":
            plain = json.loads(text)
        case ".yaml" | ".yml":
            plain = yaml.safe_load(text)
        case _:
            plain = tomllib.loads(text)
    if not isinstance(plain, dict):
        raise FormUnreadable(f"{path}: a form is a table of fields")
    return plain
