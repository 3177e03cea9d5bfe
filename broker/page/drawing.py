"""Pages as HTML: Jinja templates of ours on top of the GOV.UK Design System's, everything escaped."""

from functools import cache
from typing import Any

import govuk_frontend_jinja
from jinja2 import ChoiceLoader, Environment, PackageLoader, PrefixLoader
from starlette.responses import HTMLResponse


@cache
def _environment() -> Environment:
    ours = PackageLoader("broker.page")
    theirs = PrefixLoader({"govuk_frontend_jinja": PackageLoader(govuk_frontend_jinja.__name__)})
    return Environment(
        loader=ChoiceLoader([ours, theirs]), autoescape=True, trim_blocks=True, lstrip_blocks=True, auto_reload=False
    )


def draw(template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """Draw a page."""
    return HTMLResponse(_environment().get_template(template).render(values), status)
