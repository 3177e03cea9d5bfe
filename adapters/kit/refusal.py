"""How a command says no: every reason at once, each naming its requirement where one stands behind it."""

from collections.abc import Iterable


class Refused(Exception):
    """The command was refused, nothing was changed and nothing was sent; the reasons follow."""

    def __init__(self, reasons: Iterable[str]) -> None:
        self.reasons = tuple(reasons)
        super().__init__("; ".join(self.reasons))


def refuse_if(reasons: Iterable[str]) -> None:
    """Raise `Refused` if there is any reason."""
    collected = tuple(reasons)
    if collected:
        raise Refused(collected)
