"""Paragraphs on a terminal: an indented one keeps its indent when it wraps."""

from rich.padding import Padding
from rich.text import Text


def indented(text: str) -> Padding:
    """Give a paragraph, set in by two columns on every line."""
    return Padding(Text(text), (0, 0, 0, 2), expand=False)
