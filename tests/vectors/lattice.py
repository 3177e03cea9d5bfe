"""ML-KEM-768 encapsulation (FIPS 203, algorithm 17) with the randomness as an argument.

The library that seals takes its randomness from the operating system, as it must. Vectors have to come out the same
every time, and a second implementation finds what one implementation agrees with itself about. Not constant-time:
for vectors only.
"""

from functools import lru_cache
from hashlib import sha3_256, sha3_512, shake_128, shake_256

PRIME, SIZE, RANK = 3329, 256, 3

Polynomial = list[int]


def _bit_reversed(number: int) -> int:
    return int(f"{number:07b}"[::-1], 2)


ZETAS = [pow(17, _bit_reversed(index), PRIME) for index in range(128)]
GAMMAS = [pow(17, 2 * _bit_reversed(index) + 1, PRIME) for index in range(128)]


def _transform(values: Polynomial) -> Polynomial:
    out, index, length = list(values), 1, 128
    while length >= 2:
        for start in range(0, SIZE, 2 * length):
            zeta, index = ZETAS[index], index + 1
            for place in range(start, start + length):
                product = zeta * out[place + length] % PRIME
                out[place + length] = (out[place] - product) % PRIME
                out[place] = (out[place] + product) % PRIME
        length //= 2
    return out


def _transform_back(values: Polynomial) -> Polynomial:
    out, index, length = list(values), 127, 2
    while length <= 128:
        for start in range(0, SIZE, 2 * length):
            zeta, index = ZETAS[index], index - 1
            for place in range(start, start + length):
                kept = out[place]
                out[place] = (kept + out[place + length]) % PRIME
                out[place + length] = zeta * (out[place + length] - kept) % PRIME
        length *= 2
    return [value * 3303 % PRIME for value in out]


def _product(left: Polynomial, right: Polynomial) -> Polynomial:
    out = [0] * SIZE
    for index, gamma in enumerate(GAMMAS):
        even, odd = 2 * index, 2 * index + 1
        out[even] = (left[even] * right[even] + left[odd] * right[odd] * gamma) % PRIME
        out[odd] = (left[even] * right[odd] + left[odd] * right[even]) % PRIME
    return out


def _sum(*polynomials: Polynomial) -> Polynomial:
    return [sum(values) % PRIME for values in zip(*polynomials, strict=True)]


def _uniform(seed: bytes) -> Polynomial:
    stream, at = shake_128(seed).digest(2016), 0
    out: Polynomial = []
    while len(out) < SIZE:
        first, second, third = stream[at : at + 3]
        out += [value for value in (first + 256 * (second % 16), second // 16 + 16 * third) if value < PRIME]
        at += 3
    return out[:SIZE]


def _noise(seed: bytes, number: int) -> Polynomial:
    stream = int.from_bytes(shake_256(seed + bytes([number])).digest(128), "little")
    nibbles = [(stream >> (4 * index)) & 15 for index in range(SIZE)]
    return [((nibble & 1) + (nibble >> 1 & 1) - (nibble >> 2 & 1) - (nibble >> 3)) % PRIME for nibble in nibbles]


def _unpack(raw: bytes) -> Polynomial:
    number = int.from_bytes(raw, "little")
    return [(number >> (12 * index)) & 4095 for index in range(SIZE)]


def _compress(values: Polynomial, bits: int) -> bytes:
    number = 0
    for index, value in enumerate(values):
        number |= ((((value << bits) + PRIME // 2) // PRIME) % (1 << bits)) << (bits * index)
    return number.to_bytes(32 * bits, "little")


def _encrypt(public: bytes, message: bytes, seed: bytes) -> bytes:
    rows = [_unpack(public[384 * row : 384 * (row + 1)]) for row in range(RANK)]
    rho = public[-32:]
    secret = [_transform(_noise(seed, number)) for number in range(RANK)]
    parts = []
    for row in range(RANK):
        matrix = [_uniform(rho + bytes([row, column])) for column in range(RANK)]
        products = _sum(*(_product(entry, value) for entry, value in zip(matrix, secret, strict=True)))
        parts.append(_compress(_sum(_transform_back(products), _noise(seed, RANK + row)), 10))
    bits = int.from_bytes(message, "little")
    spread = [(bits >> index & 1) * ((PRIME + 1) // 2) for index in range(SIZE)]
    inner = _sum(*(_product(entry, value) for entry, value in zip(rows, secret, strict=True)))
    parts.append(_compress(_sum(_transform_back(inner), _noise(seed, 2 * RANK), spread), 4))
    return b"".join(parts)


@lru_cache(maxsize=64)
def encapsulate(public: bytes, message: bytes) -> tuple[bytes, bytes]:
    """Give the shared secret (32 bytes) and the ciphertext (1,088) that `message` (32 random bytes) leads to."""
    mixed = sha3_512(message + sha3_256(public).digest()).digest()
    return mixed[:32], _encrypt(public, message, mixed[32:])
