"""Parsing XML that somebody else wrote, without letting it reach outside or grow inside.

A document with a DOCTYPE is refused as a whole: the formats read here have none, and entities are only declared there
(so neither an external entity nor an expansion bomb gets as far as a value). No network, no DTD, no huge trees.
Errors name the line and never quote the document.
"""

from collections.abc import Iterator
from typing import Any

from lxml import etree

from adapters.kit.lookup.unread import BadField, Unread


def parse_xml(raw: bytes) -> etree._Element:
    """Parse a whole document and give its root. Raises `BadField` with a line in its problem if it cannot be read."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    if b"<!DOCTYPE" in raw:
        raise _doctype()
    try:
        root = etree.fromstring(raw, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None) or 1
        raise BadField(None, f"is not well-formed XML (line {line})", "export it again") from None
    document: Any = root.getroottree()  # the stubs do not know docinfo.doctype
    # Again after parsing, since in another encoding than UTF-8 the bytes above look different.
    if document.docinfo.doctype:
        raise _doctype()
    return root


def _doctype() -> BadField:
    return BadField("DOCTYPE", "declares a document type, which may hide entities", "export without a DOCTYPE")


def local_name(element: etree._Element) -> str:
    """Give an element's name without its namespace."""
    return etree.QName(element).localname


def line_of(element: etree._Element) -> int | None:
    """Give the line on which an element starts, counting from 1."""
    line: Any = element.sourceline
    return line if isinstance(line, int) else None


def text_of(element: etree._Element | None, *names: str) -> str:
    """Give the stripped text at the path `names` below `element`, or an empty string if it is not there."""
    for name in names:
        element = None if element is None else element.find(name)
    return "" if element is None or element.text is None else element.text.strip()


def stray_text(root: etree._Element, file: str) -> Iterator[Unread]:
    """Name text that stands between elements, where it belongs to none: a value may have lost its tags."""
    for element in root.iter():
        inside = element.text if len(element) else None
        for text, owner in ((inside, element), (element.tail, element.getparent())):
            if text and text.strip() and owner is not None:
                problem = "text stands here that belongs to no element"
                yield Unread(file, line_of(element), local_name(owner), problem, "correct it and export again")
