"""A folder of FHIR documents, XML and JSON, as an organisation exports them."""

from pathlib import Path
from typing import Final

from adapters.health.fhir_parse import Parsed, parse_document
from adapters.kit.lookup.tables import read_bytes
from adapters.kit.lookup.unread import BadField, Unread

_SUFFIXES: Final = {".xml": True, ".json": False}


def read_folder(folder: Path) -> Parsed:
    """Read every `*.xml` and `*.json` in `folder`; an empty or missing folder is a gap, not an absence of patients."""
    paths = sorted(path for path in folder.glob("*") if path.suffix in _SUFFIXES) if folder.is_dir() else []
    if not paths:
        gap = Unread(folder.name, None, None, "the folder holds no FHIR documents", "put the export in place")
        return Parsed(unread=(gap,))
    parsed = [_read(path) for path in paths]
    resources = tuple(one for each in parsed for one in each.resources)
    return Parsed(resources, tuple(gap for each in parsed for gap in each.unread))


def _read(path: Path) -> Parsed:
    try:
        return parse_document(read_bytes(path), file=path.name, is_xml=_SUFFIXES[path.suffix])
    except BadField as bad:
        return Parsed(unread=(bad.at(path.name, None),))
