"""The figures of one enquiry, by which its course can be checked. Pure; no figure is about a person."""

from collections import Counter
from collections.abc import Sequence

from adapters.la.console.enquiry import Enquiry
from schemas.content.base import Content
from schemas.content.response import Response


class Counters(Content):
    """The figures of one enquiry, by which its course can be checked."""

    rfis: int
    answered: int
    phone_prompts: int
    phone_prompts_open: int
    rfi_breaches: int
    sub_request_breaches: int
    indicate_only: int
    referred_to: dict[str, int]
    reratings: int
    supplements: int
    corrections: int
    correction_acknowledgements: int
    correction_acknowledgements_owed: int


def figures(
    enquiry: Enquiry,
    responses: Sequence[Response],
    *,
    answered: int,
    rfi_breaches: int,
    sub_request_breaches: int,
) -> Counters:
    """Count what the enquiry and its answers show; an answer to a request that was never made counts for nothing."""
    own = [one for one in responses if enquiry.request(one.rfi)]
    acknowledged = sum(task.acknowledged_at is not None for task in enquiry.corrections)
    return Counters(
        rfis=len(enquiry.issued),
        answered=answered,
        phone_prompts=len(enquiry.prompts),
        phone_prompts_open=sum(prompt.made_at is None for prompt in enquiry.prompts),
        rfi_breaches=rfi_breaches,
        sub_request_breaches=sub_request_breaches,
        indicate_only=sum(len(one.indicators) for one in own),
        referred_to=dict(Counter(whom for one in own for each in one.referrals for whom in each.refer_to)),
        reratings=max(0, len(enquiry.ratings) - 1),
        supplements=sum(one.supplement for one in own),
        corrections=len({task.item for task in enquiry.corrections}),
        correction_acknowledgements=acknowledged,
        correction_acknowledgements_owed=len(enquiry.corrections) - acknowledged,
    )
