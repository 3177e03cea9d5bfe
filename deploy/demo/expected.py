"""What the scenario must come to; the demonstration fails where a figure is off.

Source: the scenario's expected counters. HLT-03 withheld, no refuge address and the rest of the content are held by
the journey test.
"""

from collections.abc import Iterator

from adapters.la.console.collation import Collation, Counters

EXPECTED = {
    "rfis": 8,
    "answered": 8,
    "phone_prompts": 11,
    "phone_prompts_open": 0,
    "rfi_breaches": 0,
    "sub_request_breaches": 1,
    "indicate_only": 1,
    "reratings": 1,
    "supplements": 1,
    "corrections": 1,
    "correction_acknowledgements": 2,
    "correction_acknowledgements_owed": 0,
}
EXPECTED_REFERRALS = {"police": 1, "marac": 2}


def differences(collation: Collation) -> Iterator[str]:
    """Give one line for every counter that is not what the scenario says."""
    counters: Counters = collation.counters
    for name, expected in EXPECTED.items():
        actual = getattr(counters, name)
        if actual != expected:
            yield f"{name.replace('_', ' ')}: expected {expected}, is {actual}"
    if counters.referred_to != EXPECTED_REFERRALS:
        yield f"referred to: expected {EXPECTED_REFERRALS}, is {counters.referred_to}"
