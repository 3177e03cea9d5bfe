"""The machine-readable sample: a closed format, `mash.sample.v1`, with everything that proves what is in it.

Beside each sampled request stand the ledger's own entries: the stub as its sender signed it, and the hashes that tie it
to the entries around it. The directories are the kept ones, by whose keys the signatures verify.
Nothing in it is sealed and nothing is about a person; it names requests one by one and is not for publication.
"""

from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

SHAPE: Final = "mash.sample.v1"
MOST_BYTES: Final = 64 * 1024 * 1024
Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Count = Annotated[int, Field(ge=0, le=2**53 - 1)]
Word = Annotated[str, Field(pattern=r"^[A-Za-z0-9._ -]{0,64}$")]


class _Closed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, populate_by_name=True)


class EntryKept(_Closed):
    """One entry of the ledger: `received` is microseconds since 1970, `stub` the signed bytes in base64."""

    number: Count
    received: Count
    ingress_owner: Word
    directory: Hash
    previous: Hash
    hash: Hash
    stub: str = Field(repr=False)


class ClockKept(_Closed):
    """One clock of a request: when it was due, when it was met if it was, and what that comes to."""

    clock: Word
    due_at: AwareDatetime | None
    met_at: AwareDatetime | None
    verdict: Word


class RequestKept(_Closed):
    """One sampled request as it stood: who asked whom, its clocks, and the entries that say so."""

    reference: Word
    requester: Word
    agency: Word
    rating: Word
    outcome: Word
    issued_at: AwareDatetime
    due_at: AwareDatetime
    answered_at: AwareDatetime | None
    clocks: tuple[ClockKept, ...]
    entries: tuple[EntryKept, ...]


class StratumKept(_Closed):
    """One stratum of the draw."""

    of: tuple[Word, ...]
    holds: Count
    drawn: Count


class DirectoryKept(_Closed):
    """A directory as the ledger keeps it: its bytes in base64."""

    version: Count
    digest: Hash
    body: str = Field(repr=False)


class LedgerKept(_Closed):
    """The ledger that the sample is from: how many entries it had, its last hash, and since when it was kept."""

    entries: Count
    hash: Hash
    kept_since: AwareDatetime


class SampleFile(_Closed):
    """The whole sample. `frame` is the list it was drawn from, one row a request of the month."""

    shape: Literal["mash.sample.v1"] = Field(default=SHAPE, alias="schema")
    month: Annotated[str, Field(pattern=r"^20\d\d-(0[1-9]|1[0-2])$")]
    as_at: AwareDatetime
    seed: Annotated[str, Field(max_length=200)]
    size: Annotated[int, Field(ge=1, le=10_000)]
    ledger: LedgerKept
    parted_by: tuple[Word, ...]
    strata: tuple[StratumKept, ...]
    requests: tuple[RequestKept, ...]
    frame: tuple[tuple[Word, Word, Word, Word, Word], ...]
    directories: tuple[DirectoryKept, ...]

    def to_bytes(self) -> bytes:
        """Write it, keys in the order above."""
        return (self.model_dump_json(by_alias=True, indent=1) + "\n").encode()
