"""Bad input at the command line: a plain no with its place, never a traceback, never a name, and nothing is changed."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.demo.agencies import COUNCIL
from deploy.demo.area import FORM
from tests.integration.commands.program import Ran, is_a_plain_no, mash, says_nobody

pytestmark = [pytest.mark.xdist_group("commands"), pytest.mark.timeout(300)]

HOUSING = "testford-housing"


@pytest.fixture
def home(sandbox: Path, tmp_path: Path) -> Path:
    """The council's home in a copy of the sandbox, which a test may break."""
    shutil.copytree(sandbox, tmp_path / "area", ignore=shutil.ignore_patterns("*.lock"))
    return tmp_path / "area" / COUNCIL


def _replace(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


def _overwrite(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(5000)
        file.write(b"\x5a" * 20_000)


BREAKS: dict[str, tuple[Callable[[Path], object], str]] = {
    "no adapter.toml": (lambda home: (home / "adapter.toml").unlink(), "--home"),
    "adapter.toml is no TOML": (lambda home: _replace(home / "adapter.toml", 'kind = "la"', "kind = la"), "line 2"),
    "an unknown setting": (lambda home: _replace(home / "adapter.toml", "kind =", "nonsense = 1\nkind ="), "nonsense"),
    "an unknown kind": (lambda home: _replace(home / "adapter.toml", 'kind = "la"', 'kind = "circus"'), "kind"),
    "a real hub with a sandbox's directory": (
        lambda home: _replace(home / "adapter.toml", "embedded:../hub.db", "amqps://hub.example/mash"),
        "unsigned sandbox",
    ),
    "no register": (lambda home: (home / "register.toml").unlink(), "register.toml"),
    "a register that is no TOML": (lambda home: (home / "register.toml").write_text("[\n"), "line 1"),
    "an unknown kind of party": (
        lambda home: _replace(home / "register.toml", 'kind = "police"', 'kind = "polis"'),
        "parties.0.kind",
    ),
    "no directory": (lambda home: (home.parent / "directory.json").unlink(), "directory.json"),
    "a directory that is no JSON": (lambda home: (home.parent / "directory.json").write_text("{"), "directory.json"),
    "a credential that others can read": (
        lambda home: (home / "credentials" / "mash-keyring").chmod(0o644),
        "mash-keyring",
    ),
    "another credential": (
        lambda home: (home / "credentials" / "mash-keyring").write_bytes(bytes(32)),
        "does not open",
    ),
    "no keys": (lambda home: shutil.rmtree(home / "keys"), "keyring.json"),
    "a damaged store": (lambda home: _overwrite(home / "store.db"), "store is damaged"),
    "a store that is no database": (lambda home: (home / "store.db").write_bytes(b"garbage" * 999), "store is damaged"),
}


@pytest.mark.parametrize("what", BREAKS)
def test_a_home_that_is_broken_is_refused_with_its_place(home: Path, what: str) -> None:
    """A missing file, a misspelt setting, a damaged store: said, and nothing more."""
    break_it, place = BREAKS[what]
    break_it(home)
    ran = mash("enquiry", "list", home=home)

    is_a_plain_no(ran)
    assert place in ran.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("enquiry", "show", "ENQ-9"),
        ("enquiry", "issue", "ENQ-9", "--json"),
        ("enquiry", "open-sealed", "ENQ-9"),
        (
            "enquiry",
            "decide",
            "ENQ-9",
            "--outcome",
            "early_help",
            "--level",
            "2",
            "--rationale",
            "x",
            "--next-step",
            "y",
        ),
        ("enquiry", "export", "ENQ-9", "--json-file", "nowhere.json"),
        ("phone", "made", "ENQ-9", "testford-police", "--outcome", "reached"),
        ("inbox", "show", "RFI-9"),
        ("respond", "propose", "RFI-9"),
        ("respond", "send", "RFI-9", "--json"),
    ],
    ids=" ".join,
)
def test_a_reference_that_is_not_on_file_is_refused(sandbox: Path, arguments: tuple[str, ...]) -> None:
    """The commonest mistake of all."""
    ran = mash(*arguments, home=sandbox / COUNCIL)

    is_a_plain_no(ran)
    assert arguments[2] in ran.err


def test_a_user_who_is_in_no_settings_is_refused(sandbox: Path) -> None:
    """DIS-10."""
    is_a_plain_no(mash("enquiry", "list", home=sandbox / COUNCIL, user="mallory"))


def test_an_adapter_without_a_register_has_no_console(sandbox: Path) -> None:
    """An agency that is only asked opens no enquiry."""
    ran = mash("enquiry", "list", home=sandbox / HOUSING, user="housing-lead")

    is_a_plain_no(ran)
    assert "register_file" in ran.err


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (('dob = "2017-03-14"', 'dob = "14 March 2017"'), "persons.tilly.dob"),
        (('role = "subject_child"', 'rolle = "subject_child"'), "persons.tilly.rolle"),
        (('parents_aware = "no"', "parents_aware = no"), "line"),
    ],
)
def test_a_broken_form_is_refused_with_the_line_or_the_field(
    sandbox: Path, tmp_path: Path, change: tuple[str, str], place: str
) -> None:
    """What to mend is named, and whom it is about is not."""
    broken = tmp_path / "form.toml"
    broken.write_text(FORM.read_text("utf-8").replace(*change, 1), "utf-8")
    ran = mash("enquiry", "new", "ENQ-2", str(broken), home=sandbox / COUNCIL)

    is_a_plain_no(ran)
    assert place in ran.err
    is_a_plain_no(mash("enquiry", "show", "ENQ-2", home=sandbox / COUNCIL))


ADD = ("enquiry", "add-person", "ENQ-1", "x", "--role", "child", "--relationship", "x")


@pytest.mark.parametrize(
    "arguments",
    [
        ("enquiry", "show", "ENQ-1", "--nonsense"),
        ("enquiry", "show"),
        ("enquiry", "frobnicate"),
        ("frobnicate",),
        (*ADD, "--name", "Tilly", "Ashgrove-Test"),
        (*ADD, "--name", "Tilly Ashgrove-Test", "--dob", "1994-05-19x"),
        (*ADD, "--name", "Tilly Ashgrove-Test", "--estimated-age", "Tilly"),
        (*ADD, "--name", "Tilly Ashgrove-Test", "--identifier", "9990100144"),
        ("enquiry", "issue", "ENQ-1", "--due", "Tilly"),
    ],
    ids=lambda arguments: " ".join(arguments[:2]),
)
def test_wrong_usage_ends_with_two_and_repeats_nothing_that_was_typed(
    sandbox: Path, arguments: tuple[str, ...]
) -> None:
    """The attack on oneself: a name without quotation marks ends up in a log of standard error."""
    ran = mash(*arguments, home=sandbox / COUNCIL)

    assert (ran.code, ran.out) == (2, "")
    assert "--help" in ran.err
    says_nobody(ran)


def test_two_adapters_do_not_run_on_one_store(home: Path) -> None:
    """The second is told so; a command beside the running one works all the same."""
    with subprocess.Popen(
        [Path(sys.executable).with_name("mash"), "run", "--home", home], stdout=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        assert "is connected" in running.stdout.readline()
        second, beside = mash("run", "--once", home=home), mash("enquiry", "list", home=home)
        running.terminate()

    is_a_plain_no(second)
    assert "Another adapter is running" in second.err
    assert beside.code == 0


def test_records_that_cannot_be_read_hold_the_answer_until_a_person_accepts(home: Path) -> None:
    """Issue "Bad input": file, row and field are named, and the answer is never "no trace"."""
    housing = home.parent / HOUSING
    _register_with_a_stray_cell(housing / "records" / "persons.csv")
    rfi = _ask_housing(home, housing)
    proposed = _at_housing(housing, "respond", "propose", rfi, "--json").json
    refused = _at_housing(housing, "respond", "send", rfi)

    assert any("persons.csv" in gap for gap in proposed["unread"])
    assert "no_trace" not in proposed["traces"].values()
    is_a_plain_no(refused)
    assert "could not be read" in refused.err

    accepted = _at_housing(housing, "respond", "propose", rfi, "--accept-unread", "--json").json
    assert not any("could not be read" in reason for reason in accepted["objections"])


def _register_with_a_stray_cell(path: Path) -> None:
    lines = path.read_text("utf-8").splitlines()
    lines[-1] += ",stray"
    path.write_text("\n".join(lines) + "\n", "utf-8")


def _ask_housing(home: Path, housing: Path) -> str:
    for arguments in (
        ("enquiry", "new", "ENQ-3", str(FORM)),
        ("enquiry", "choose", "ENQ-3", HOUSING, "--rationale", "tenancy", "--public-task"),
        ("enquiry", "rate", "ENQ-3", "GREEN", "--rationale", "as reported"),
        ("enquiry", "issue", "ENQ-3"),
        ("run", "--once"),
    ):
        assert mash(*arguments, home=home).code == 0
    assert _at_housing(housing, "run", "--once").code == 0
    return str(_at_housing(housing, "inbox", "list", "--json").json["items"][0]["rfi"])


def _at_housing(housing: Path, *arguments: str) -> Ran:
    return mash(*arguments, home=housing, user="housing-lead")
