"""Who is who: tokens, sessions, and what binds a form to a browser."""

from datetime import datetime, timedelta

from broker.page.access import MOST_SESSIONS, SHIFT, Access, Visitor
from tests.unit.page.scene import HEALTH, IDVA, NIGHT

OPERATOR, DESK = b"o" * 64, b"d" * 64


class World:
    """The time, which a test moves."""

    now: datetime = NIGHT


def access(**changes: object) -> tuple[Access, World]:
    world = World()
    made = Access(**{"operator": OPERATOR, "desks": {HEALTH: DESK}} | changes, clock=lambda: world.now)  # type: ignore[arg-type]  # fields of Access
    return made, world


def test_without_a_token_configured_whoever_comes_is_the_operator() -> None:
    """Such a page listens on loopback, or behind certificates or a proxy (`settings.check`)."""
    made, _ = access(operator=None)
    assert made.visitor("") == Visitor()


def test_with_one_nobody_is_anybody_without_a_session() -> None:
    """Empty, unknown and guessed sessions are nobody's."""
    made, _ = access()
    assert [made.visitor(name) for name in ("", "x", HEALTH)] == [None, None, None]


def test_each_token_opens_what_it_is_for() -> None:
    """The operator's everything, a desk's one desk, any other nothing."""
    made, _ = access()
    operator, desk = (made.visitor(made.sign_in(token) or "") for token in (OPERATOR, DESK))
    assert operator is not None
    assert desk is not None
    assert (operator.is_operator, operator.post) == (True, "control-room")
    assert (desk.desk, desk.is_operator, desk.post) == (HEALTH, False, "duty-desk")
    assert desk.may_see_desk(HEALTH)
    assert not desk.may_see_desk(IDVA)
    for wrong in (b"", OPERATOR[:-1], OPERATOR + b"o", b"x" * 64):
        assert made.sign_in(wrong) is None


def test_an_absent_operators_token_is_not_the_empty_one() -> None:
    """The attack: signing in with nothing where no operator's token is configured."""
    made, _ = access(operator=None)
    assert made.sign_in(b"") is None
    assert made.sign_in(b"None") is None


def test_a_session_ends_with_the_shift_to_the_second() -> None:
    """And cannot be revived."""
    made, world = access()
    name = made.sign_in(OPERATOR) or ""
    world.now = NIGHT + SHIFT - timedelta(seconds=1)
    assert made.visitor(name)
    world.now = NIGHT + SHIFT
    assert made.visitor(name) is None
    world.now = NIGHT
    assert made.visitor(name) is None


def test_sessions_are_bounded_and_the_oldest_goes() -> None:
    """The attack: whoever knows a token signs in without end."""
    made, _ = access()
    names = [made.sign_in(DESK) or "" for _ in range(MOST_SESSIONS + 1)]
    assert made.visitor(names[0]) is None
    assert made.visitor(names[1])


def test_a_forms_token_is_good_for_one_visit_and_one_process() -> None:
    """The attack: a token from another browser, or from before a restart."""
    made, _ = access()
    token = made.form_token("visit")
    assert made.is_form_token("visit", token)
    assert not made.is_form_token("another", token)
    assert not made.is_form_token("visit", "")
    assert not made.is_form_token("", made.form_token(""))
    assert not access()[0].is_form_token("visit", token)
    assert not made.is_form_token("visit", "é" * 64)


def test_nothing_secret_is_in_a_repr() -> None:
    """Neither the key of forms nor a session's name."""
    made, _ = access()
    name = made.sign_in(OPERATOR) or "?"
    assert name not in repr(made)
    assert "_key" not in repr(made)
    assert "oooo" not in repr(made)
