"""The whole round at the command line, as a newcomer runs it: two agencies, one after the other, no server.

The round is run once, every call with `--json`; the tests look at what each call said.
"""

import re
from pathlib import Path

import pytest

from adapters.cli.lawful_form import read_notes
from deploy.demo.agencies import COUNCIL
from deploy.demo.area import FORM
from deploy.demo.lawful import written
from tests.integration.commands.program import NAMES, Ran, is_a_plain_no, mash

pytestmark = [pytest.mark.xdist_group("commands"), pytest.mark.timeout(600)]

SHAPES = Path(__file__).parents[3] / "adapters" / "cli" / "SHAPES.md"
FAMILY = ("--role", "other_family", "--relationship", "aunt")
PHONE = ("--speaker", "R. Sample-Test", "--speaker-role", "duty worker", "--telephone", "0113 496 0180")
TO_THE_SCHOOL = ("--addressed-to", "Meadowbank Test Primary")
DECISION = ("--outcome", "strategy_discussion", "--level", "4", "--rationale", "violence", "--next-step", "discussion")


class Round:
    """The round, call by call; `said[name]` is what a call said, `refused[name]` a call that had to be refused."""

    def __init__(self, sandbox: Path, out: Path) -> None:
        self._sandbox, self._out = sandbox, out
        self.said: dict[str, Ran] = {}
        self.refused: dict[str, Ran] = {}

    def at_council(self, name: str, *arguments: str) -> Ran:
        """Let the manager run a command."""
        return self._keep(name, mash(*arguments, "--json", home=self._sandbox / COUNCIL))

    def at_police(self, name: str, *arguments: str, user: str = "ppd-sergeant") -> Ran:
        """Let a user of the police run a command."""
        return self._keep(name, mash(*arguments, "--json", home=self._sandbox / "testford-police", user=user))

    def _keep(self, name: str, ran: Ran) -> Ran:
        (self.said if ran.code == 0 else self.refused)[name] = ran
        return ran

    def ask(self) -> None:
        """Open, add, choose, rate, issue; the first issue is too early."""
        self.at_council("form", "enquiry", "form")
        self.at_council("new", "enquiry", "new", "ENQ-1", str(FORM))
        self.at_council("too early", "enquiry", "issue", "ENQ-1")
        self.at_council("add-person", "enquiry", "add-person", "ENQ-1", "joan", "--name", "Joan Elder-Test", *FAMILY)
        self.at_council("amend", "enquiry", "amend", "ENQ-1", str(FORM))
        for participant in ("testford-police", "testford-recovery"):
            choose = ("enquiry", "choose", "ENQ-1", participant, "--rationale", "known there", "--public-task")
            self.at_council("choose", *choose)
        self.at_council("leave-out", "enquiry", "leave-out", "ENQ-1", "dwp", "no relevance stated")
        self.at_council("rate", "enquiry", "rate", "ENQ-1", "amber", "--rationale", "reported by the school")
        self.at_council("issue", "enquiry", "issue", "ENQ-1")
        self.at_council("run", "run", "--once")

    def answer(self) -> None:
        """Receive, look, approve, word, withhold, judge, send; the first send is too early."""
        self.at_police("police run", "run", "--once")
        rfi = self.at_police("inbox list", "inbox", "list").json["items"][0]["rfi"]
        self.at_police("inbox show", "inbox", "show", rfi)
        self.at_police("guess", "respond", "send", rfi)
        self.at_police("ask-source", "respond", "ask-source", rfi, "neighbourhood_team")
        self.at_police("source-answered", "respond", "source-answered", rfi, "neighbourhood_team")
        self.at_police("propose", "respond", "propose", rfi)
        self.at_police("not held", "respond", "approve", rfi, "POL-02", "--role", "force_intelligence_unit")
        summarise = ("respond", "summarise", rfi, "POL-06", "--wording", "three notices; children were present")
        self.at_police("summarise", *summarise)
        self.at_police("withhold", "respond", "withhold", rfi, "POL-01", "--ground", "EXCESSIVE")
        self.at_police("no ground", "respond", "withhold", rfi, "POL-06", "--ground", "BECAUSE")
        self._approve(rfi)
        judge = ("--level", "4", "--best-placed", "children's social care", "--analysis", "a pattern of violence")
        self.at_police("judge", "respond", "judge", rfi, *judge)
        self.at_police("standing", "respond", "standing", rfi)
        self.at_police("ask-advice", "respond", "ask-advice", rfi, "legal")
        self.at_police("advice-given", "respond", "advice-given", rfi, "legal")
        self.at_police("not lawful yet", "respond", "send", rfi)
        form = self._out / "form.json"
        form.write_text(self.at_police("form", "respond", "form", rfi).out, "utf-8")
        form.write_text(written(read_notes(form)).model_dump_json(), "utf-8")
        self.at_police("record", "respond", "record", rfi, str(form))
        self.at_police("send", "respond", "send", rfi)
        self.at_police("twice", "respond", "send", rfi)
        self.at_police("police sends", "run", "--once")

    def _approve(self, rfi: str) -> None:
        held = {"ppd_supervisor": "ppd-sergeant", "force_intelligence_unit": "fiu-duty"}
        held["senior_investigating_officer"] = "sio"
        for record in self.at_police("standing", "respond", "standing", rfi).json["records"]:
            for role in record["approvals_needed"]:
                self.at_police("approve", "respond", "approve", rfi, record["record"], "--role", role, user=held[role])

    def decide(self) -> None:
        """Receive, show, telephone, rate anew, open, decide, export, list."""
        self.at_council("council receives", "run", "--once")
        self.at_council("show", "enquiry", "show", "ENQ-1")
        self.at_council("phone made", "phone", "made", "ENQ-1", "testford-recovery", "--outcome", "nobody reached")
        said = ("phone", "record", "ENQ-1", "testford-recovery", *PHONE, "--said", "in treatment", "--subject", "dean")
        self.at_council("overheard", *said)
        self.at_council("phone record", *said, "--called-back", "--not-overheard")
        self.at_council("rerate", "enquiry", "rerate", "ENQ-1", "RED", "--rationale", "a weapon")
        self.at_council("open-sealed", "enquiry", "open-sealed", "ENQ-1")
        to_referrer = ("enquiry", "letter", "ENQ-1", "referrer", *TO_THE_SCHOOL, "--pdf", str(self._out / "letter.pdf"))
        self.at_council("no decision to tell", *to_referrer)
        self.at_council("decide", "enquiry", "decide", "ENQ-1", *DECISION)
        self.at_council("letter", *to_referrer)
        self.at_council("strange item", *to_referrer, "--confirmed", "HOU-99")
        to_family = ("enquiry", "letter", "ENQ-1", "family", "--addressed-to", "Ms Sample-Test")
        self.at_council("told in person", *to_family, "--pdf", str(self._out / "family.pdf"))
        self.at_council("referrer-told", "enquiry", "referrer-told", "ENQ-1", "--how", "letter")
        files = ("--pdf", str(self._out / "pack.pdf"), "--json-file", str(self._out / "pack.json"))
        self.at_council("export", "enquiry", "export", "ENQ-1", *files)
        self.at_council("hand-over", "enquiry", "hand-over", "ENQ-1", "team north")
        self.at_council("list", "enquiry", "list")


@pytest.fixture(scope="module")
def played(sandbox: Path, tmp_path_factory: pytest.TempPathFactory) -> Round:
    """The round, run to its end."""
    made = Round(sandbox, tmp_path_factory.mktemp("out"))
    made.ask()
    made.answer()
    made.decide()
    return made


def test_every_call_that_should_be_refused_is_a_plain_no_and_no_other_is(played: Round) -> None:
    """Exit code 1, reasons on standard error, nothing on standard output, nobody named."""
    assert set(played.refused) == {
        "too early",
        "guess",
        "not held",
        "no ground",
        "not lawful yet",
        "twice",
        "overheard",
        "no decision to tell",
        "strange item",
        "told in person",
    }
    assert "LAW-24" in played.refused["not lawful yet"].err
    for ran in played.refused.values():
        is_a_plain_no(ran)


def test_every_call_that_was_done_answers_with_one_object_and_says_nothing_beside_it(played: Round) -> None:
    """Standard output can be read by a program, standard error is empty."""
    for name, ran in played.said.items():
        assert ran.json["schema"].startswith("mash."), name
        assert ran.err == "", name


def test_every_answer_has_the_fields_that_its_shape_documents(played: Round) -> None:
    """SHAPES.md is what a program may rely on."""
    documented = documented_fields()
    undocumented = {
        name: fields ^ documented[ran.json["schema"]]
        for name, ran in played.said.items()
        if (fields := set(ran.json) - {"schema"}) != documented[ran.json["schema"]]
    }
    assert undocumented == {}


def test_lists_name_nobody(played: Round) -> None:
    """What is looked at without opening a request or an enquiry says nothing about a person."""
    for name in ("inbox list", "list", "run", "police run", "export"):
        assert not [person for person in NAMES if person in played.said[name].out], name


def test_the_answer_arrives_as_the_police_gave_it(played: Round) -> None:
    """The round is a real one: what was worded, withheld, sealed and indicated is what the council reads."""
    shown = played.said["show"].json
    police = next(one for one in shown["agencies"] if one["participant"] == "testford-police")

    assert police["status"] == "answered"
    assert (police["items"], police["for_decision_maker"], police["withheld"]) == (1, 1, 1)
    assert [one["wording"] for one in shown["items"]] == ["three notices; children were present"]
    assert played.said["list"].json["items"][0]["decided"] is True


def test_the_pack_is_written_as_a_pdf_and_as_json(played: Round) -> None:
    """The export names the files that it wrote, and they are what they say."""
    written = played.said["export"].json

    assert Path(written["pdf"]).read_bytes().startswith(b"%PDF-")
    assert '"schema": "mash.collation.v1"' in Path(written["json"]).read_text("utf-8")


def test_a_letter_is_written_once_there_is_a_decision_that_may_be_told(played: Round) -> None:
    """DIS-11: the attack is a letter that says more, or comes sooner, than the person may know."""
    letter = Path(played.said["letter"].json["pdf"])

    assert letter.read_bytes().startswith(b"%PDF-")
    assert letter.stat().st_mode & 0o077 == 0
    assert "RSP-15" in played.refused["no decision to tell"].err
    assert "DIS-03" in played.refused["strange item"].err
    assert "by the social worker, not by letter" in played.refused["told in person"].err
    assert not letter.with_name("family.pdf").exists()


def documented_fields() -> dict[str, set[str]]:
    """Read the top-level fields of every shape: the code words before the colon of each list entry."""
    shapes: dict[str, set[str]] = {}
    for part in re.split(r"^## ", SHAPES.read_text("utf-8"), flags=re.MULTILINE)[1:]:
        name, _, text = part.partition("\n")
        heads = [line.partition(":")[0] for line in text.splitlines() if line.startswith("- ")]
        shapes[name.strip()] = {field for head in heads for field in re.findall(r"`([a-z_]+)`", head)}
    return shapes
