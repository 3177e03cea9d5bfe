"""A known answer from the field: which of the edge cases of Ed25519 our library accepts (C2SP CCTV, `ed25519/`).

The 914 vectors are not ours and are not kept here: the test reads them from `MASH_CCTV` or from the shared folder, and
is skipped where they are not. The number was taken with PyNaCl 1.6.2; another number means another verifier.
"""

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

SHARED = Path(__file__).parents[4] / "shared" / "data" / "cctv" / "ed25519vectors.json"
VECTORS = Path(os.environ.get("MASH_CCTV", SHARED))

pytestmark = pytest.mark.skipif(not VECTORS.exists(), reason="the CCTV vectors are not on this machine")


def accepts(vector: dict[str, Any]) -> bool:
    """Say whether the signature verifies; only the library's own refusal counts as one."""
    try:
        VerifyKey(bytes.fromhex(vector["key"])).verify(vector["msg"].encode(), bytes.fromhex(vector["sig"]))
    except BadSignatureError:
        return False
    return True


def test_a_forger_with_a_strange_point_is_accepted_in_exactly_43_of_914_edge_cases() -> None:
    """E09 rests on it: no point of low order and no second spelling of a point, as key or as R, ever verifies."""
    vectors = json.loads(VECTORS.read_bytes())
    accepted = [vector for vector in vectors if accepts(vector)]
    assert (len(vectors), len(accepted)) == (914, 43)
    flags = Counter(flag for vector in accepted for flag in vector["flags"] or ())
    assert set(flags) == {"low_order_component_A", "low_order_component_R"}
