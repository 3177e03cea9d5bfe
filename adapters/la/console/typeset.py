"""From data to a PDF: the one module that calls the typesetter.

What partners wrote goes in as data (JSON in `sys.inputs`) and is never made into source text, so that nothing in it
can be obeyed. Fonts are those embedded in the typesetter and no others, so that paper looks the same everywhere. The
PDF is tagged to PDF/UA-1: the typesetter itself refuses a sign without a glyph, and then every sign but Latin letters
is set by its name instead (`legible.on_paper`). Blocks for about a tenth of a second: call it off the event loop.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import typst

from adapters.la.console.legible import on_paper

_TEMPLATES: Final = Path(__file__).parent
_WITHOUT_GLYPH: Final = "could not be displayed"


class NotTypeset(Exception):
    """The paper could not be made; the template named in the message is at fault, not what was to be printed."""


def typeset(template: str, data: Mapping[str, Any], *, at: datetime) -> bytes:
    """Give the PDF of `data` in `template` (a file name beside this one). Raises `NotTypeset`, without content."""
    try:
        return _compile(template, data, at=at, plain=False)
    except typst.TypstError as fault:
        if _WITHOUT_GLYPH not in fault.message:
            raise NotTypeset(template) from None
    try:
        return _compile(template, data, at=at, plain=True)
    except typst.TypstError:
        raise NotTypeset(template) from None


def _compile(template: str, data: Mapping[str, Any], *, at: datetime, plain: bool) -> bytes:
    pdf: bytes = typst.compile(
        _TEMPLATES / template,
        root=_TEMPLATES,
        ignore_system_fonts=True,
        sys_inputs={"data": json.dumps(_legible(data, plain=plain))},
        pdf_standards=["ua-1"],
        timestamp=int(at.timestamp()),
    )
    return pdf


def _legible(value: Any, *, plain: bool) -> Any:
    """Make every text in the data safe for paper; keys are ours and stay."""
    if isinstance(value, str):
        return on_paper(value, plain=plain)
    if isinstance(value, Mapping):
        return {key: _legible(inner, plain=plain) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_legible(inner, plain=plain) for inner in value]
    return value
