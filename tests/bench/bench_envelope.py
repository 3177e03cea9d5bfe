"""How long sealing and opening take: `python -m tests.bench.bench_envelope`.

A message of four sections with 4 KiB of text in the team's, for 1 and for 3 role keys a section.
Beside each figure stand the bare primitives doing the same work (the same wraps, sections, hashes, derivations and
signature, with no format, no directory and no checks) and joserfc signing and encrypting for the same recipients.
The three are measured in turn, ten messages each, round by round, in processor time, so that what else the machine
does disturbs them little. The best round is the figure; the median stands beside it as what was met on the day.
The bare primitives are called as their libraries offer them. Ours clear the vector registers after each wrap
(`hybrid.py`), which with AVX-512 gains up to 10 microseconds a wrap; that gain is in the ratio, for it is ours.
"""

import sys
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from hmac import digest
from os import urandom
from statistics import median
from time import thread_time

from joserfc.jwk import OKPKey
from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_decrypt as aead_decrypt
from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_encrypt as aead_encrypt
from nacl.signing import SigningKey

from adapters.kit.envelope import hybrid
from adapters.kit.envelope.sealing import Chain, Outgoing, Section, seal
from adapters.kit.envelope.verification import Arrival, Opened, check_arrival, open_arrival
from adapters.kit.keys.in_use import PrekeyInHand, RecipientKeys, RoleInHand
from schemas import base64url
from schemas.directory import AgencyRecord, Directory, Prekey, Role
from schemas.routing import Lane
from schemas.signing import padded_size
from tests.bench import jose
from tests.support.envelopes import FIRST, outgoing
from tests.support.parties import NOW, Party, make_party

TEXT = bytes(index % 251 for index in range(4096))
MANIFEST_LENGTH = 300
SIZES = tuple(padded_size(length) for length in (MANIFEST_LENGTH, len(TEXT), 0, 0))
ROUNDS = 30
BURST = 10  # messages come in bursts; one at a time would time the processor's caches

Work = Callable[[], object]


def _roles(role_keys: int) -> tuple[tuple[Role, ...], RecipientKeys]:
    """Make `role_keys` roles for each of the four sections; the recipient at work holds the first of each."""
    roles, in_hand, prekeys = [], {}, {}
    start = int(NOW.timestamp())
    window = {"not_before": start, "not_after": start + int(timedelta(days=7).total_seconds())}
    for number in range(4 * role_keys):
        section, secret_and_public = number % 4, hybrid.generate()
        role_id, prekey_id = urandom(16), urandom(16)
        public = base64url.encode(secret_and_public[1])
        prekey = Prekey(id=base64url.encode(prekey_id), public=public, **window)
        name = f"role_{number}"
        roles.append(Role(name=name, id=base64url.encode(role_id), opens=(section,), prekeys=(prekey,)))
        if number < 4:
            in_hand[role_id] = RoleInHand(name, (section,))
            prekeys[prekey_id] = PrekeyInHand.load(role_id, secret=secret_and_public[0], **window)
    return tuple(roles), RecipientKeys("testford-police", in_hand, prekeys)


class Ours:
    """Sealing and opening as an adapter does them."""

    def __init__(self, council: Party, police: AgencyRecord, keys: RecipientKeys) -> None:
        self._directory = Directory.build(1, [council.record, police], [(council.name, police.participant)])
        self._keys, self._sender = keys, council.sender()
        self._message: Outgoing = outgoing(police.participant, sections={Section.TEAM: TEXT})
        self._body = self.seal()
        self.head = len(self._body) - sum(size + 40 for size in SIZES) - 64

    def seal(self) -> bytes:
        chain: Chain = FIRST
        return seal(self._message, keys=self._sender, directory=self._directory, chain=chain, now=NOW).body

    def open(self) -> Opened:
        arrival = check_arrival(
            self._body,
            me="testford-police",
            ingress_owner="testford-la",
            lane=Lane.URGENT,
            has_cc=False,
            directory=self._directory,
            now=NOW,
        )
        if not isinstance(arrival, Arrival):
            raise TypeError(arrival.code)
        opened = open_arrival(arrival, keys=self._keys, directory=self._directory)
        if not isinstance(opened, Opened):
            raise TypeError(opened.code)
        return opened


class Bare:
    """The same primitives over inputs of the same sizes, and nothing else."""

    def __init__(self, role_keys: int, *, head: int) -> None:
        self._role_keys = role_keys
        pairs = [hybrid.generate() for _ in range(4)]
        self._public = [hybrid.load_public(base64url.encode(public)) for _, public in pairs]
        self._private = [hybrid.load_private(secret) for secret, _ in pairs]
        self._signing, self._head = SigningKey.generate(), urandom(head)
        self._texts, self._info = [bytes(size) for size in SIZES], urandom(250)
        self._sealed = self._sections()
        self._signature = self._signing.sign(self._head).signature

    def _derive(self, key: bytes) -> tuple[bytes, bytes, bytes]:
        extracted = digest(self._info, key, "sha256")
        first, second, third = (digest(extracted, label, "sha256") for label in (b"1", b"2", b"3"))
        return first, second, third

    def _sections(self) -> list[tuple[bytes, bytes, bytes]]:
        sections = []
        for public, text in zip(self._public, self._texts, strict=True):
            key, nonce = urandom(32), urandom(24)
            _, aead_key, commitment_key = self._derive(key)
            sealed = aead_encrypt(text, self._info, nonce, aead_key)
            digest(commitment_key, text, "sha256")
            sha256(sealed).digest()
            wraps = [hybrid.SUITE.encrypt(key, public, info=self._info) for _ in range(self._role_keys)]
            sections.append((wraps[0], nonce, sealed))
        return sections

    def seal(self) -> object:
        sections = self._sections()
        sha256(self._head).digest()
        return sections, self._signing.sign(self._head)

    def open(self) -> object:
        self._signing.verify_key.verify(self._head, self._signature)
        sha256(self._head).digest()
        texts = []
        for private, (wrap, nonce, sealed) in zip(self._private, self._sealed, strict=True):
            sha256(sealed).digest()
            _, aead_key, commitment_key = self._derive(hybrid.SUITE.decrypt(wrap, private, info=self._info))
            texts.append(aead_decrypt(sealed, self._info, nonce, aead_key))
            digest(commitment_key, texts[-1], "sha256")
        return texts


class Jose:
    """The manifest and the text, each signed and encrypted for as many recipients; two more sections stay empty."""

    def __init__(self, role_keys: int) -> None:
        self._signing = OKPKey.generate_key("Ed25519")
        self._recipients = [OKPKey.generate_key("X25519") for _ in range(role_keys)]
        self._texts = (bytes(MANIFEST_LENGTH), TEXT, b"", b"")
        self._tokens = self.seal()

    def seal(self) -> list[bytes]:
        return [jose.encrypt(jose.sign(text, self._signing), self._recipients) for text in self._texts]

    def open(self) -> list[bytes]:
        first = self._recipients[0]
        return [jose.verify(jose.decrypt(token, first), self._signing) for token in self._tokens]


Figures = dict[str, tuple[list[float], list[float]]]


def measured(works: list[Work], *, rounds: int) -> tuple[list[float], list[float]]:
    """Give the best and the median time of each work in microseconds, measured in turn."""
    times: list[list[float]] = [[] for _ in works]
    for _ in range(rounds):
        for work, taken in zip(works, times, strict=True):
            start = thread_time()
            for _ in range(BURST):
                work()
            taken.append((thread_time() - start) / BURST)
    return [min(taken) * 1e6 for taken in times], [median(taken) * 1e6 for taken in times]


def figures(role_keys: int, *, rounds: int = ROUNDS) -> Figures:
    """Give, for seal and open, the best and median times of ours, of the bare primitives and of JOSE."""
    roles, keys = _roles(role_keys)
    council = make_party("testford-la", weeks=1)
    police = make_party("testford-police", kind="police", weeks=1).record.model_copy(update={"roles": roles})
    ours = Ours(council, police, keys)
    contenders = (ours, Bare(role_keys, head=ours.head), Jose(role_keys))
    return {
        "seal": measured([contender.seal for contender in contenders], rounds=rounds),
        "open": measured([contender.open for contender in contenders], rounds=rounds),
    }


def main() -> None:
    """Print the table."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    lines = [f"{'microseconds':22}{'ours':>8}{'bare':>8}{'ratio':>8}{'JOSE':>8}{'ratio':>8}"]
    for role_keys in (1, 3):
        for name, (best, middle) in figures(role_keys, rounds=rounds).items():
            for label, (ours, bare, other) in (("best", best), ("median", middle)):
                row = f"{name}, {role_keys} role keys, {label}"
                lines.append(f"{row:27}{ours:6.0f}{bare:8.0f}{ours / bare:8.2f}{other:8.0f}{ours / other:8.2f}")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
