"""`mash enquiry add-person`: the family is entered once, person by person or in the form."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from adapters.cli.frame import HERE, AsJson, Home, Reference, User, at_console, perform

if TYPE_CHECKING:
    from schemas.content.person import Person

app = typer.Typer()

Identifiers = Annotated[
    list[str] | None, typer.Option(help="NAME=VALUE, for example nhs_number=9990100004; may be repeated.")
]


@app.command("add-person")
def add_person(
    reference: Reference,
    key: Annotated[str, typer.Argument(help="A short name by which answers refer to the person, e.g. tilly.")],
    user: User,
    name: Annotated[str, typer.Option(help="The full name, in quotation marks.")],
    role: Annotated[str, typer.Option(help="subject_child, child, unborn_child, parent, partner, other_family, ...")],
    relationship: Annotated[str, typer.Option(help="What the person is to the child.")],
    dob: Annotated[str | None, typer.Option(help="Date of birth, YYYY-MM-DD.")] = None,
    edd: Annotated[str | None, typer.Option(help="Expected date of delivery of an unborn child.")] = None,
    mother: Annotated[str | None, typer.Option(help="The mother's key, for an unborn child.")] = None,
    estimated_age: Annotated[int | None, typer.Option(help="An age in years where no date is known.")] = None,
    died_on: Annotated[str | None, typer.Option(help="Date of death, YYYY-MM-DD.")] = None,
    sex: Annotated[str | None, typer.Option(help="As recorded.")] = None,
    address: Annotated[str | None, typer.Option(help="The address, for matching.")] = None,
    alias: Annotated[list[str] | None, typer.Option(help="Another name of the person; repeat it.")] = None,
    identifier: Identifiers = None,
    alleged_victim: Annotated[bool, typer.Option("--alleged-victim", help="Said to have been harmed.")] = False,
    alleged_perpetrator: Annotated[bool, typer.Option("--alleged-perpetrator", help="Said to have harmed.")] = False,
    home: Home = HERE,
    as_json: AsJson = False,
) -> None:
    """Add a person to an enquiry, or replace the one with this key."""
    from schemas.content.person import Person

    person = Person(
        name=name,
        aliases=tuple(alias or ()),
        role=role,
        relationship=relationship,
        sex=sex,
        mother=mother,
        estimated_age=estimated_age,
        address=address,
        identifiers=dict(_pair(text) for text in identifier or []),
        alleged_victim=alleged_victim,
        alleged_perpetrator=alleged_perpetrator,
    ).model_copy(update=_life(dob=dob, edd=edd, died_on=died_on))
    _put(reference, key, person, user=user, home=home, as_json=as_json)


def _put(reference: str, key: str, person: "Person", *, user: str, home: Path, as_json: bool) -> None:
    perform(
        at_console(lambda console: console.coordinator.add_person(reference, key, person, user=user)),
        home=home,
        as_json=as_json,
        schema="mash.enquiry.v1",
        show=lambda enquiry: f"{enquiry.reference} now names {', '.join(enquiry.form.persons)}.",
    )


def _life(*, dob: str | None, edd: str | None, died_on: str | None) -> dict[str, object]:
    """Read the dates of a life, and say what they make of it: unborn, deceased or living."""
    from adapters.cli.times import date_given

    return {
        "dob": date_given(dob, option="--dob"),
        "edd": date_given(edd, option="--edd"),
        "died_on": date_given(died_on, option="--died-on"),
        "life_status": "unborn" if edd else "deceased" if died_on else "living",
    }


def _pair(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator or not name or not value:
        raise typer.BadParameter("write it as NAME=VALUE, for example nhs_number=9990100004", param_hint="--identifier")
    return name, value
