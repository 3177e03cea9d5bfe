"""A collation printed, and its text read back out of the PDF."""

import io
import re

from pypdf import PdfReader

from adapters.la.console.collation import Collation
from adapters.la.console.pack import Printed, collation_pdf
from tests.unit.console.office import NOW, answered, collation, item


def print_collation(view: Collation) -> Printed:
    return collation_pdf(view, printed_by="P. Example", printed_at=NOW)


def print_one(wording: str) -> Printed:
    return print_collation(collation(answered("testford-housing", item("HOU-01", "police", wording=wording))))


def squeezed(text: str) -> str:
    """Give a text without spaces, line breaks and invisible break points, which a sheet may set anywhere."""
    return re.sub(r"[\s\u200b\xad]", "", text)


def pages_of(printed: Printed) -> list[str]:
    return [squeezed(page.extract_text()) for page in PdfReader(io.BytesIO(printed.pdf)).pages]


def text_of(printed: Printed) -> str:
    return "".join(pages_of(printed))
