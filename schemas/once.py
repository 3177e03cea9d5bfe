"""A property that is computed at first use and kept: `functools.cached_property` without its lock.

Up to Python 3.11 that one takes a lock at every first use, which here was a tenth of opening an envelope.
Two threads may compute the same value twice; it is for values that any thread would compute alike.
"""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

Value = TypeVar("Value")


class once(Generic[Value]):  # noqa: N801  # reads as the word it is where it decorates, like `property`
    """Keep what the method gave in the instance, where it is found without asking again."""

    def __init__(self, compute: Callable[[Any], Value]) -> None:
        self._compute, self._name = compute, compute.__name__
        self.__doc__ = compute.__doc__

    def __get__(self, instance: object, owner: type | None = None) -> Value:
        value = instance.__dict__[self._name] = self._compute(instance)
        return value
