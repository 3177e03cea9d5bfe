"""Put the style and script of GOV.UK Frontend where the hub's operations page serves them from.

    python assets.py NODE_MODULES TARGET

What the licence keeps for gov.uk stays out: the typeface GDS Transport is replaced by the system's sans-serif, its
files, the crown and the crest are not copied, and a style that still names one of them is not written at all.
Needs nothing but Python, so that the image's builder runs it as well as `make assets`.
"""

import re
import sys
from pathlib import Path
from typing import Final

SYSTEM_SANS: Final = "system-ui,-apple-system,Segoe UI,Roboto,Noto Sans,Liberation Sans,Arial,sans-serif"
FONT_FACE: Final = re.compile(r"(?:/\*![^*]*Margaret Calvert[^*]*\*/)?@font-face\{[^}]*\}")
CREST: Final = re.compile(r"[^{}]*\{[^{}]*govuk-crest[^{}]*\}")
NEVER: Final = ("GDS Transport", "@font-face", "/assets/", "govuk-crest")
SCRIPT: Final = "govuk-frontend.min.js"
STYLE: Final = "govuk-frontend.min.css"


class NotAsExpected(Exception):
    """GOV.UK Frontend is not the version that this was written for: look at its style again before using it."""


def without_the_reserved(style: str) -> str:
    """Give the style without the typeface and the crest. Raises `NotAsExpected` when any of them would be left."""
    found = FONT_FACE.sub("", style).replace("GDS Transport,arial,sans-serif", SYSTEM_SANS)
    found = re.sub(r"/\*# sourceMappingURL=.*?\*/", "", CREST.sub("", found))
    left = [word for word in NEVER if word in found]
    if left or SYSTEM_SANS not in found:
        raise NotAsExpected(", ".join(left))
    return found


def put(modules: Path, target: Path) -> None:
    """Write the two files and the licence under `target`."""
    source = modules / "govuk-frontend/dist/govuk"
    target.mkdir(parents=True, exist_ok=True)
    script = re.sub(r"(?m)^//# sourceMappingURL=.*$", "", (source / SCRIPT).read_text("utf-8"))
    (target / SCRIPT).write_text(script, "utf-8")
    (target / STYLE).write_text(without_the_reserved((source / STYLE).read_text("utf-8")), "utf-8")
    (target / "LICENCE.txt").write_text((Path(__file__).parent / "LICENCE.txt").read_text("utf-8"), "utf-8")


if __name__ == "__main__":
    put(Path(sys.argv[1]), Path(sys.argv[2]))
