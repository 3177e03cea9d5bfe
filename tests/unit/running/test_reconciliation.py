"""What differs between the hub's manifest and an agency's books: the pure decision."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from adapters.kit.envelope.sealing import Event
from adapters.kit.running.reconciliation import YOUNG, Books, Line, differences, from_number
from broker.ledger.chain import Passage
from broker.manifests import manifest
from schemas.reconciliation import DailyManifest, DifferenceKind
from tests.support.parties import NOW
from tests.unit.watch.traffic import HEALTH, LA, POLICE, Story, identifier

DAY = NOW.date()
LATER = NOW + timedelta(hours=12)
NOBODY: dict[str, list[Line]] = {}


def day_of(passages: Iterable[Passage], *, participant: str = LA, day: date = DAY) -> DailyManifest:
    return manifest(passages, participant=participant, day=day, now=LATER, ledger=(9, bytes(32)))


def line(passage: Passage, *, at: datetime | None = NOW) -> Line:
    return Line(passage.stub.seq, passage.stub.mid, passage.stub_hash, at)


def told(story: Story, *numbers: int, sender: str = LA, recipient: str = POLICE) -> list[Passage]:
    return [story.say(sender, recipient, Event.REQUEST, seq=number, mid=f"mid-{number}") for number in numbers]


def found(made: DailyManifest, books: Books) -> list[tuple[DifferenceKind, int, str | None]]:
    return [(one.kind, one.seq, one.mid) for one in differences(made, books)]


def sent(lines: Iterable[Line], *, to: str = POLICE) -> Books:
    kept = list(lines)
    return Books({to: kept}, NOBODY, {to: max((one.seq for one in kept), default=0)})


def taken(lines: Iterable[Line], *, of: str = LA) -> Books:
    return Books(NOBODY, {of: list(lines)}, {})


def test_books_that_agree_differ_in_nothing() -> None:
    """Both ends of a quiet day."""
    passages = told(Story(), 1, 2, 3)
    assert found(day_of(passages), sent(map(line, passages))) == []
    assert found(day_of(passages, participant=POLICE), taken(map(line, passages))) == []


def test_the_one_of_fourteen_that_never_passed_is_named_by_its_sender() -> None:
    """Sent 14, received 13."""
    passages = told(Story(), *range(1, 15))
    seen = [one for one in passages if one.stub.seq != 9]
    assert found(day_of(seen), sent(map(line, passages))) == [(DifferenceKind.LOST_BEFORE_HUB, 9, identifier("mid-9"))]


def test_what_has_not_been_confirmed_yet_was_not_lost() -> None:
    """It is still in the outbox, which tries again."""
    passages = told(Story(), 1, 2, 3)
    lines = [line(passages[0]), line(passages[1], at=None), line(passages[2])]
    assert found(day_of([passages[0], passages[2]]), sent(lines)) == []


def test_what_was_confirmed_a_moment_before_the_manifest_is_too_young_to_be_missed() -> None:
    """The tap may be a moment behind the sender's confirm."""
    passages = told(Story(), 1, 2)
    young, old = LATER - YOUNG + timedelta(seconds=1), LATER - YOUNG
    assert found(day_of(passages[:1]), sent([line(passages[0]), line(passages[1], at=young)])) == []
    assert found(day_of(passages[:1]), sent([line(passages[0]), line(passages[1], at=old)])) == [
        (DifferenceKind.LOST_BEFORE_HUB, 2, identifier("mid-2"))
    ]


def test_a_pair_of_which_nothing_ever_passed_is_looked_at_too() -> None:
    """The attack: the only message to somebody is dropped, so the manifest does not know the pair."""
    passages = told(Story(), 1)
    assert found(day_of([]), sent(map(line, passages))) == [(DifferenceKind.LOST_BEFORE_HUB, 1, identifier("mid-1"))]


def test_what_passed_and_never_came_is_named_by_its_recipient() -> None:
    """By a name that the recipient could not know otherwise."""
    passages = told(Story(), 1, 2, 3)
    lines = [line(one) for one in passages if one.stub.seq != 2]
    assert found(day_of(passages, participant=POLICE), taken(lines)) == [
        (DifferenceKind.LOST_AFTER_HUB, 2, identifier("mid-2"))
    ]


def test_a_day_too_long_for_names_still_misses_a_number() -> None:
    """Without the names the numbers are counted out."""
    passages = told(Story(), 1, 2, 3)
    made = day_of(passages, participant=POLICE)
    bare = made.model_copy(update={"halves": tuple(half.model_copy(update={"messages": ()}) for half in made.halves)})
    assert found(bare, taken([line(passages[0]), line(passages[2])])) == [(DifferenceKind.LOST_AFTER_HUB, 2, None)]


def test_what_came_past_the_hubs_eyes_is_named() -> None:
    """The attack: the tap is bypassed, or the hub leaves an entry out of its ledger."""
    passages = told(Story(), 1, 2, 3)
    made = day_of([passages[0], passages[2]], participant=POLICE)
    assert found(made, taken(map(line, passages))) == [(DifferenceKind.UNSEEN_BY_HUB, 2, identifier("mid-2"))]
    short = day_of(passages[:2], participant=POLICE)
    assert found(short, taken(map(line, passages))) == [(DifferenceKind.UNSEEN_BY_HUB, 3, identifier("mid-3"))]


def test_the_same_number_with_another_content_is_named() -> None:
    """The attack: the hub exchanges an envelope for another one of that number."""
    mine, theirs = told(Story(), 1, 2), told(Story(NOW + timedelta(seconds=1)), 1, 2)
    assert found(day_of(theirs), sent(map(line, mine))) == [(DifferenceKind.OTHER_CONTENT, 2, identifier("mid-2"))]


def test_the_same_number_under_another_name_is_named() -> None:
    """Also where it is not the last one."""
    mine = told(Story(), 1, 2)
    story = Story()
    theirs = [story.say(LA, POLICE, Event.REQUEST, seq=1, mid="another"), mine[1]]
    assert found(day_of(theirs), sent(map(line, mine))) == [(DifferenceKind.OTHER_CONTENT, 1, identifier("mid-1"))]


def test_a_number_that_was_never_given_out_is_named() -> None:
    """The attack: somebody else sends under our key; or this store is older than the truth (C44)."""
    passages = told(Story(), 1, 2, 3)
    assert found(day_of(passages), sent(map(line, passages[:2]))) == [(DifferenceKind.NEVER_SENT, 3, None)]


def test_a_number_near_the_end_of_all_numbers_makes_no_long_work() -> None:
    """The attack: a stub numbered 2**53 - 1 passes without names; nobody counts up to it."""
    passages = told(Story(), 2**53 - 1)
    made = day_of(passages, participant=POLICE)
    halves = tuple(half.model_copy(update={"messages": (), "missing": ()}) for half in made.halves)
    assert found(made.model_copy(update={"halves": halves}), taken([line(passages[0])])) == []


def test_the_books_are_looked_at_from_the_days_first_number_on() -> None:
    """Not from the beginning of time: a year of messages is not read every night."""
    story = Story()
    told(story, 1, 2)
    story.pass_(days=1)
    told(story, 3, 4)
    made = manifest(story.passages, participant=LA, day=story.now.date(), now=story.now, ledger=(9, bytes(32)))
    assert from_number(made, sender=LA, recipient=POLICE) == 3
    assert from_number(made, sender=LA, recipient=HEALTH) == 1
