"""Copy the picture that the README shows out of chapter 01; run by `make notebooks`."""

import base64
import json
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CHAPTER = ROOT / "book" / "01_phenomenon.ipynb"
PICTURE = ROOT / "book" / "_static" / "phenomenon.png"
BEGINS = "Accuracy and loss"  # of its alternative text


def stored() -> bytes:
    """The chapter's stored PNG of accuracy and loss; raises `ValueError` if it has none."""
    for cell in json.loads(CHAPTER.read_text())["cells"]:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if "".join(data.get("text/plain", "")).startswith(BEGINS):
                return base64.b64decode(data["image/png"])
    raise ValueError(f"{CHAPTER.name} stores no picture whose text begins with {BEGINS!r}.")


if __name__ == "__main__":
    PICTURE.write_bytes(stored())
