"""Fuzzes receipts and manifests: any bytes lead to a value or to None, and only the one spelling is accepted."""

from adapters.kit.envelope.manifest import parse_manifest
from schemas.receipt import parse_receipt
from tests.fuzz.harness import run
from tests.vectors.good import SOUND
from tests.vectors.writer import Writer, manifest_of


def target(raw: bytes) -> None:
    """Read the bytes as a receipt and as a manifest."""
    receipt, manifest = parse_receipt(raw), parse_manifest(raw)
    if receipt is not None and receipt.to_bytes() != raw:
        raise AssertionError("a receipt has two spellings")
    if manifest is not None and manifest.to_bytes() != raw:
        raise AssertionError("a manifest has two spellings")


def _seeds() -> list[bytes]:
    texts = [text for _, _, draft in SOUND for text in draft.texts.values()]
    manifests = [Writer(draft)._text(0) for _, _, draft in SOUND]
    return [*texts, *manifests, str(manifest_of({}, [])).encode()]


if __name__ == "__main__":
    run(target, iter(_seeds()))
