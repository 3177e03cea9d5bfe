"""The style and script that the page is drawn with: ours are in the source, `make assets` fetches GOV.UK Frontend."""

from pathlib import Path
from typing import Final

from broker.errors import HubError

STATIC: Final = Path(__file__).parent / "static"
FETCHED: Final = (STATIC / "govuk" / "govuk-frontend.min.css", STATIC / "govuk" / "govuk-frontend.min.js")


class AssetsMissing(HubError):
    """The operations page has no style: run `make assets`, which needs node and npm, or leave out --http."""


def check_assets() -> None:
    """Raise `AssetsMissing` unless everything is there."""
    if not all(path.is_file() for path in FETCHED):
        raise AssetsMissing
