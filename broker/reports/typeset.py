"""From data to a PDF: the one module of the hub that calls the typesetter.

Everything printed goes in as data (JSON in `sys.inputs`) and is never made into source text, so that nothing in it can
be obeyed. Fonts are those embedded in the typesetter and no others, so that paper looks the same everywhere; the PDF
is tagged to PDF/UA-1 and the same data give the same bytes.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import typst

from broker.errors import HubError

_FOLDER: Final = Path(__file__).parent
_TEMPLATE: Final = "report.typ"


class NotTypeset(HubError):
    """The paper could not be made; the template is at fault, not what was to be printed."""


def typeset(data: Mapping[str, Any], *, at: datetime) -> bytes:
    """Give the PDF of `data`, dated `at`. Raises `NotTypeset`, without content."""
    try:
        pdf: bytes = typst.compile(
            _FOLDER / _TEMPLATE,
            root=_FOLDER,
            ignore_system_fonts=True,
            sys_inputs={"data": json.dumps(data)},
            pdf_standards=["ua-1"],
            timestamp=int(at.timestamp()),
        )
    except typst.TypstError:
        raise NotTypeset from None
    return pdf
