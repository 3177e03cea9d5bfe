"""The page over real HTTP: what every answer carries, and what is shown as text whatever it says."""

import pytest

from broker.page.guard import HEADERS
from tests.integration.page.stage import Stage
from tests.unit.page.scene import HEALTH, directory, glance_of, night

PAGES = ("/", "/alerts", f"/desk/{HEALTH}")


@pytest.mark.parametrize("path", [*PAGES, "/sign-in", "/healthz", "/nowhere", "/static/page.css", "/a/x"])
async def test_every_answer_carries_every_header_of_the_guard(stage: Stage, path: str) -> None:
    """Also errors, also files: nothing is framed, cached, sniffed, or runs a script that is not ours."""
    async with stage.client() as client:
        answer = await client.get(path)
    assert {name: answer.headers.get(name) for name in HEADERS} == dict(HEADERS)
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert "server" not in answer.headers


async def test_no_page_holds_a_script_or_a_style_of_its_own(stage: Stage) -> None:
    """The policy would stop them; a page that needs none works under it."""
    async with stage.client() as client:
        for path in (*PAGES, "/sign-in"):
            page = (await client.get(path)).text
            assert page.count("<script") == 1
            assert '<script type="module" src="/static/page.js"></script>' in page
            assert "style=" not in page
            assert "onclick" not in page


async def test_the_wall_says_what_to_do_before_anything_else(stage: Stage) -> None:
    """Headline, then calls with telephone numbers, then the wall by time."""
    async with stage.client() as client:
        page = (await client.get("/")).text
    places = [page.index(text) for text in ("Ring 3 desks now", "tel:01632960150", "Who owes what, soonest first")]
    assert places == sorted(places)


async def test_a_name_that_the_page_was_not_given_is_refused(stage: Stage) -> None:
    """The attack: DNS rebinding, a stranger's name that leads to this address."""
    async with stage.client(headers={"Host": "wall.attacker.example"}) as client:
        answer = await client.get("/")
    assert answer.status_code == 403
    assert "Ring" not in answer.text


async def test_a_script_in_a_path_is_shown_as_text(stage: Stage) -> None:
    """The attack: reflected markup."""
    async with stage.client() as client:
        answer = await client.get("/desk/<script>alert(1)</script>")
    assert answer.status_code == 404
    assert "<script>alert" not in answer.text


async def test_an_organisation_that_calls_itself_a_script_is_shown_as_text(stage: Stage) -> None:
    """The attack: an agency publishes markup as its name or its telephone number, under its own good signature."""
    name, ring = "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>'
    record = directory().records[HEALTH].model_copy(update={"name": name, "duty_telephone": ring})
    others = [one for who, one in directory().records.items() if who != HEALTH]
    forged = type(directory()).build(2, [*others, record], directory().pairs.values())
    await stage.show(glance_of(night(), directory=forged))
    async with stage.client() as client:
        for path in PAGES:
            page = (await client.get(path)).text
            assert "alert(1)" in page
            assert "<script>alert" not in page
            assert "<img" not in page
