"""Ed25519 by its definition (RFC 8032), slow and in plain numbers: to make the signatures that no library will make.

A point is `(x, y)`. Nothing here is for use outside tests: it is neither fast nor silent about what it computes.
"""

import hashlib

PRIME = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, PRIME) % PRIME
Point = tuple[int, int]
NEUTRAL: Point = (0, 1)


def plus(one: Point, other: Point) -> Point:
    """Add two points of the curve."""
    (x1, y1), (x2, y2) = one, other
    cross = D * x1 * x2 * y1 * y2
    x = (x1 * y2 + x2 * y1) * pow(1 + cross, -1, PRIME)
    y = (y1 * y2 + x1 * x2) * pow(1 - cross, -1, PRIME)
    return x % PRIME, y % PRIME


def times(count: int, point: Point) -> Point:
    """Add a point to itself so many times."""
    result = NEUTRAL
    while count:
        if count & 1:
            result = plus(result, point)
        point, count = plus(point, point), count >> 1
    return result


def x_of(y: int) -> int | None:
    """Give an x on the curve beside `y`, or None where there is none."""
    square = (y * y - 1) * pow(D * y * y + 1, -1, PRIME) % PRIME
    x = pow(square, (PRIME + 3) // 8, PRIME)
    if x * x % PRIME != square:
        x = x * pow(2, (PRIME - 1) // 4, PRIME) % PRIME
    return x if x * x % PRIME == square else None


def base() -> Point:
    """Give the point that everybody multiplies: y = 4/5, and x even."""
    y = 4 * pow(5, -1, PRIME) % PRIME
    x = x_of(y) or 0
    return (x if x % 2 == 0 else PRIME - x), y


def encoded(point: Point) -> bytes:
    """Write a point in its one canonical spelling."""
    x, y = point
    return (y | (x & 1) << 255).to_bytes(32, "little")


def small_points() -> list[Point]:
    """Give the eight points of which eight copies are nothing."""
    y = 2
    while True:
        x = x_of(y)
        found = NEUTRAL if x is None else times(ORDER, (x, y))
        if times(4, found) != NEUTRAL:
            return [times(count, found) for count in range(8)]
        y += 1


def small_spellings() -> set[bytes]:
    """Give every spelling of the eight points: the canonical ones, and those with `y + p` or with the sign of zero."""
    spellings = {encoded(point) for point in small_points()}
    for _, y in small_points():
        numbers = [number for number in (y, y + PRIME) if number < 2**255]
        spellings |= {(number | sign << 255).to_bytes(32, "little") for number in numbers for sign in (0, 1)}
    return spellings


def challenge(commitment: bytes, public: bytes, message: bytes) -> int:
    """Give the number that a signature answers."""
    return int.from_bytes(hashlib.sha512(commitment + public + message).digest(), "little") % ORDER


def answer(number: int) -> bytes:
    """Write the second half of a signature."""
    return number.to_bytes(32, "little")
