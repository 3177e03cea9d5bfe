"""How urgent an enquiry is: the one fact about it that the hub may read, because clocks run by it (SLA-01).

It stands on the outside of the envelope, so that requester and hub keep the same time.
It says nothing about why: reasons are content and sealed.
"""

from enum import StrEnum


class RagRating(StrEnum):
    """How urgent an enquiry is. BLUE is not rated for multi-agency questions and asks nobody."""

    RED = "RED"
    AMBER = "AMBER"
    GREEN = "GREEN"
    BLUE = "BLUE"
