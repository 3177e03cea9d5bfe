"""Who is told when: the ladder, leave, hours, the out-of-hours route, and nobody at all."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from broker import sla
from broker.alerts.desks import LADDER, OUT_OF_HOURS, Desk, Duty, Post
from broker.alerts.escalation import Case, Nobody, RanOut, Step, Tell, Wait, Why, decide, has_lapsed, ladder_of
from broker.alerts.kinds import AlertKind, Urgency
from broker.calendar import MASH_CALENDAR, Span
from broker.sla import Contact, TimerKind
from tests.unit.alerts.rota import DEPUTY, LEAD, MONDAY, NIGHT, OFFICER, POSTS, SPOC, desk, duty, local

PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a busy machine proves nothing
PATIENCE = timedelta(minutes=30)
URGENT = Case(AlertKind.UNDELIVERED, Urgency.NOW, MONDAY)


def ask(case: Case, now: datetime, *, at: Desk | None = None) -> object:
    chosen = at or desk()
    return decide(case, desk=chosen, duty=duty(chosen), now=now)


def told(*rungs: str, start: datetime = MONDAY, **changes: bool) -> tuple[Step, ...]:
    return tuple(Step(rung, start + place * PATIENCE, **changes) for place, rung in enumerate(rungs))


def test_an_urgent_alert_climbs_the_ladder_rung_by_rung_until_it_runs_out() -> None:
    """SLA-08: contact officer, deputy, SPOC, agency lead, and at the end whoever is there out of hours."""
    steps: tuple[Step, ...] = ()
    seen = []
    now = MONDAY
    while isinstance(decision := ask(replace(URGENT, steps=steps), now), Tell):
        seen.append(decision.rung)
        steps += (Step(decision.rung, now),)
        assert ask(replace(URGENT, steps=steps), now + PATIENCE - timedelta(seconds=1)) == Wait(now + PATIENCE)
        now += PATIENCE
    assert seen == [*(rung.value for rung in LADDER), OUT_OF_HOURS]
    assert decision == RanOut()


def test_a_breach_calls_the_spoc_first_and_leaves_nobody_out() -> None:
    """sla.md: 100 % breach to SPOC, then the agency lead."""
    assert list(ladder_of(AlertKind.BREACHED))[:2] == [Contact.SPOC, Contact.AGENCY_LEAD]
    assert sorted(ladder_of(AlertKind.BREACHED)) == sorted(LADDER)
    assert ask(replace(URGENT, kind=AlertKind.BREACHED), MONDAY) == Tell("spoc", (SPOC,))


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (AlertKind.NUDGE, ["contact_officer"]),
        (AlertKind.WARNING, ["contact_officer", "deputy"]),
        (AlertKind.AWAITED, ["contact_officer", "deputy"]),
        (AlertKind.BREACHED, ["spoc", "agency_lead", "contact_officer", "deputy", OUT_OF_HOURS]),
        (AlertKind.ESCALATED, ["agency_lead", "contact_officer", "deputy", "spoc", OUT_OF_HOURS]),
        (AlertKind.UNREAD, ["contact_officer", "deputy", "spoc", "agency_lead", OUT_OF_HOURS]),
    ],
)
def test_each_kind_of_alert_climbs_its_own_rungs_and_no_further(kind: AlertKind, expected: list[str]) -> None:
    """sla.md: 50 % nudge, 80 % warn the contact officer, 100 % the SPOC, a quarter over it the agency's lead."""
    steps: tuple[Step, ...] = ()
    now = MONDAY
    while isinstance(decision := ask(Case(kind, Urgency.NOW, MONDAY, steps), now), Tell):
        steps += (Step(decision.rung, now),)
        now += PATIENCE
    assert ([step.rung for step in steps], decision) == (expected, RanOut())


def test_the_ladders_begin_where_the_timers_of_the_clock_call() -> None:
    """One table of the domain in two places: the rungs that a timer calls are told first and in that order."""
    kinds = {
        TimerKind.NUDGE: AlertKind.NUDGE,
        TimerKind.WARNING: AlertKind.WARNING,
        TimerKind.BREACH: AlertKind.BREACHED,
        TimerKind.ESCALATION: AlertKind.ESCALATED,
    }
    for rung in sla.timers.LADDER:
        called = [contact for contact in rung.calls if contact is not Contact.COORDINATOR]
        assert list(ladder_of(kinds[rung.kind]))[: len(called)] == called


def test_a_nudge_that_nobody_acknowledges_leaves_the_deputy_in_peace() -> None:
    """Neither the deputy in the day nor the route for the night is told of half of the time that is left."""
    case = Case(AlertKind.NUDGE, Urgency.NOW, MONDAY, told("contact_officer"))
    assert ask(case, MONDAY + 4 * PATIENCE) == RanOut()
    assert ask(case, NIGHT) == RanOut()


def test_the_deputy_stands_in_for_a_contact_officer_who_is_away_or_out_of_reach() -> None:
    """GOV-05: a nudge that reached nobody would be none."""
    away = replace(OFFICER, leave=(Span(date(2026, 11, 20), date(2026, 11, 27)),))
    nudge = Case(AlertKind.NUDGE, Urgency.NOW, MONDAY)
    assert ask(nudge, MONDAY, at=desk(away, DEPUTY, SPOC)) == Tell("deputy", (DEPUTY,))
    vain = replace(nudge, steps=told("contact_officer", is_vain=True))
    assert ask(vain, MONDAY) == Tell("deputy", (DEPUTY,))
    reached = replace(nudge, steps=told("deputy"))
    assert ask(reached, MONDAY + PATIENCE, at=desk(away, DEPUTY, SPOC)) == Wait(local("2026-11-30T09:00"))


def test_a_nudge_that_nobody_acknowledges_is_no_trouble_of_the_hubs_either() -> None:
    """The warning climbs in its place; whoever runs the hub is not woken for half of the time."""
    whole = desk()
    nudge, unread = (
        Case(kind, Urgency.NOW, MONDAY, told("contact_officer")) for kind in (AlertKind.NUDGE, AlertKind.UNREAD)
    )
    assert not has_lapsed(nudge, desk=whole, duty=duty(whole), now=MONDAY + PATIENCE)
    assert has_lapsed(unread, desk=whole, duty=duty(whole), now=MONDAY + PATIENCE)


def test_a_nudge_at_night_goes_by_the_out_of_hours_route_when_it_cannot_wait() -> None:
    """SLA-06: RED runs through the night, and so does half of its time."""
    nudge = Case(AlertKind.NUDGE, Urgency.NOW, NIGHT)
    assert ask(nudge, NIGHT) == Tell(OUT_OF_HOURS)
    assert ask(replace(nudge, urgency=Urgency.TODAY), NIGHT) == Wait(local("2026-11-24T09:00"))


@pytest.mark.parametrize(
    ("urgency", "next_at"),
    [
        (Urgency.NOW, "2026-11-23T10:30"),
        (Urgency.TODAY, "2026-11-23T12:00"),
        (Urgency.WEEK, "2026-11-24T10:00"),
    ],
)
def test_each_urgency_has_its_own_patience(urgency: Urgency, next_at: str) -> None:
    """sla.md: a human acknowledges RED in 30 minutes, AMBER in 2 working hours, GREEN in a working day."""
    case = replace(URGENT, urgency=urgency, steps=told("contact_officer"))
    assert ask(case, MONDAY) == Wait(local(next_at))
    assert ask(case, local(next_at)) == Tell("deputy", (DEPUTY,))


def test_one_rung_and_not_all_of_them_is_told_after_a_long_sleep() -> None:
    """Catches up without telling the same rung twice, and leaves the next one its time."""
    case = replace(URGENT, steps=told("contact_officer"))
    assert ask(case, local("2026-11-25T11:00")) == Tell("deputy", (DEPUTY,))


def test_everybody_of_a_rung_is_told_at_once() -> None:
    """Two contact officers share a rung."""
    other = replace(OFFICER, name="second-officer")
    assert ask(URGENT, MONDAY, at=desk(OFFICER, other)) == Tell("contact_officer", (OFFICER, other))


def test_a_post_on_leave_is_passed_over_and_told_when_it_is_back() -> None:
    """users.md: alerts to people on leave make them hate it. Both days of a leave count."""
    away = replace(OFFICER, leave=(Span(date(2026, 11, 20), date(2026, 11, 23)),))
    here = desk(away, DEPUTY)
    assert ask(URGENT, MONDAY, at=here) == Tell("deputy", (DEPUTY,))
    tuesday = local("2026-11-24T09:00")
    assert ask(replace(URGENT, steps=told("deputy")), tuesday, at=here) == Tell("contact_officer", (away,))


def test_an_urgent_alert_at_night_goes_by_the_out_of_hours_route_alone() -> None:
    """Never to a person outside hours without the out-of-hours route."""
    assert ask(replace(URGENT, since=NIGHT), NIGHT) == Tell(OUT_OF_HOURS)


def test_an_urgent_alert_at_night_is_told_to_a_post_that_is_there_round_the_clock() -> None:
    """A duty sergeant."""
    sergeant = replace(OFFICER, round_the_clock=True)
    assert ask(URGENT, NIGHT, at=desk(sergeant, DEPUTY)) == Tell("contact_officer", (sergeant,))


def test_the_office_is_told_in_the_morning_when_nobody_acknowledged_at_night() -> None:
    """The next rung after the out-of-hours route is whoever comes on duty first."""
    case = replace(URGENT, since=NIGHT, steps=told(OUT_OF_HOURS, start=NIGHT))
    opening = local("2026-11-24T09:00")
    assert ask(case, NIGHT + PATIENCE) == Wait(opening)
    assert ask(case, opening) == Tell("contact_officer", (OFFICER,))


@pytest.mark.parametrize("urgency", [Urgency.TODAY, Urgency.WEEK])
def test_what_can_wait_waits_for_the_office_and_wakes_nobody(urgency: Urgency) -> None:
    """The out-of-hours route is for what cannot wait."""
    assert ask(replace(URGENT, urgency=urgency, since=NIGHT), NIGHT) == Wait(local("2026-11-24T09:00"))


def test_nobody_can_be_told_at_night_without_an_out_of_hours_route() -> None:
    """That itself is an alert."""
    assert ask(URGENT, NIGHT, at=desk(out_of_hours=())) == Nobody(Why.NOBODY_ON_DUTY)


def test_an_agency_without_contacts_has_nobody_to_tell() -> None:
    """GOV-05."""
    assert ask(URGENT, MONDAY, at=Desk("testford-police")) == Nobody(Why.NO_CONTACTS)


def test_what_can_wait_does_not_wait_for_the_end_of_the_school_holidays() -> None:
    """An office that opens in three weeks cannot be told today: somebody else has to see to it."""
    school = desk(calendar=replace(MASH_CALENDAR, terms=(Span(date(2026, 12, 14), date(2026, 12, 18)),)))
    for urgency in (Urgency.TODAY, Urgency.WEEK):
        assert ask(replace(URGENT, urgency=urgency), MONDAY, at=school) == Nobody(Why.NOBODY_ON_DUTY)


def test_an_office_that_never_opens_has_nobody_on_duty_and_breaks_nothing() -> None:
    """Bad input: terms that are all over."""
    never = desk(*POSTS[1:], replace(OFFICER, round_the_clock=True), calendar=replace(MASH_CALENDAR, terms=()))
    today = replace(URGENT, urgency=Urgency.TODAY)
    assert ask(today, MONDAY, at=desk(calendar=never.calendar)) == Nobody(Why.NOBODY_ON_DUTY)
    assert ask(replace(today, steps=told("contact_officer")), MONDAY, at=never) == Wait(local("2026-11-23T12:00"))


def test_a_rung_that_no_way_reaches_is_not_waited_for() -> None:
    """A mail server that refuses must not cost thirty minutes of a RED request."""
    case = replace(URGENT, steps=told("contact_officer", is_vain=True))
    assert ask(case, MONDAY + timedelta(seconds=1)) == Tell("deputy", (DEPUTY,))
    everybody = [*(rung.value for rung in LADDER), OUT_OF_HOURS]
    assert ask(replace(URGENT, steps=told(*everybody, is_vain=True)), MONDAY) == Nobody(Why.ALL_WAYS_FAIL)


def test_an_alert_has_lapsed_when_a_rung_was_reached_and_let_its_time_pass() -> None:
    """Whoever accepted the mail and dropped it is found out by this."""
    whole = desk()
    reached, vain = (replace(URGENT, steps=told("contact_officer", is_vain=one)) for one in (False, True))
    late = MONDAY + PATIENCE
    assert has_lapsed(reached, desk=whole, duty=duty(whole), now=late)
    assert not has_lapsed(reached, desk=whole, duty=duty(whole), now=late - timedelta(seconds=1))
    assert not has_lapsed(vain, desk=whole, duty=duty(whole), now=late)


moments = st.integers(0, 60 * 24 * 30).map(lambda minutes: MONDAY + timedelta(minutes=minutes))
days = st.integers(0, 30).map(lambda day: date(2026, 11, 23) + timedelta(days=day))
leaves = st.lists(
    st.tuples(days, st.integers(0, 9)).map(lambda two: Span(two[0], two[0] + timedelta(two[1]))), max_size=3
)
posts = st.lists(
    st.builds(
        lambda rung, leave, always, place: Post(f"post-{place}", rung, OFFICER.routes, tuple(leave), always),
        st.sampled_from(LADDER),
        leaves,
        st.booleans(),
        st.integers(0, 10**6),
    ),
    max_size=5,
)


@PATIENT
@given(posts, st.sampled_from(Urgency), st.booleans(), st.lists(moments, min_size=1, max_size=40), st.data())
def test_nobody_is_ever_told_twice_or_while_away(
    rota: list[Post], urgency: Urgency, has_route: bool, looks: list[datetime], data: st.DataObject
) -> None:
    """Whatever the rota and however irregularly the watch looks: no rung twice, nobody on leave or after hours."""
    here = desk(*rota) if rota else Desk("testford-police")
    here = here if has_route else replace(here, out_of_hours=())
    kind = data.draw(st.sampled_from([AlertKind.NUDGE, AlertKind.WARNING, AlertKind.BREACHED, AlertKind.UNREAD]))
    steps: tuple[Step, ...] = ()
    for now in sorted(looks):
        case = Case(kind, urgency, MONDAY, steps)
        decision = decide(case, desk=here, duty=duty(here), now=now)
        if isinstance(decision, Wait):
            assert decision.until > now
        if not isinstance(decision, Tell):
            continue
        assert decision.rung not in [step.rung for step in steps]
        assert all(post.is_on_duty(now, calendar=here.calendar) for post in decision.posts)
        assert not any(now.date() in span for post in decision.posts for span in post.leave)
        assert decision.posts or (decision.rung == OUT_OF_HOURS and urgency is Urgency.NOW and here.out_of_hours)
        steps += (Step(decision.rung, now),)


@PATIENT
@given(posts.filter(bool), moments)
def test_the_next_moment_of_a_post_is_its_first_on_duty(rota: list[Post], now: datetime) -> None:
    """No sooner: a minute before it the post is still away."""
    for post in rota:
        coming = post.next_on_duty(now, calendar=MASH_CALENDAR)
        assert coming is not None
        assert post.is_on_duty(coming, calendar=MASH_CALENDAR)
        before = coming - timedelta(minutes=1)
        assert coming == now or before < now or not post.is_on_duty(before, calendar=MASH_CALENDAR)


def test_the_lead_is_told_though_everybody_else_is_away() -> None:
    """The ladder passes over whoever is not there."""
    gone = (Span(date(2026, 11, 1), date(2026, 12, 1)),)
    away = [replace(post, leave=gone) for post in POSTS[:-1]]
    assert ask(URGENT, MONDAY, at=desk(*away, LEAD)) == Tell("agency_lead", (LEAD,))


def test_a_desk_says_when_a_post_may_be_told_and_that_one_it_lost_may_not() -> None:
    """Asked again before each try: somebody may have gone home since it was decided."""
    here = desk(OFFICER)
    assert here.on_duty_at("contact_officer", "officer", MONDAY) == MONDAY
    assert here.on_duty_at("contact_officer", "officer", NIGHT) == local("2026-11-24T09:00")
    assert here.on_duty_at(OUT_OF_HOURS, OUT_OF_HOURS, NIGHT) == NIGHT
    assert here.on_duty_at("contact_officer", "former-officer", MONDAY) is None


def test_a_duty_without_a_desk_of_that_name_gives_an_empty_one() -> None:
    """Empty means no: nobody is told by accident."""
    assert Duty({}).desk("testford-police").is_empty
