"""A Sphinx extension that gives notebook pictures their text as alternative text.

MyST-NB takes the `alt` of an image from the cell's metadata alone, where a number would go stale
in silence. A `Picture` states its alternative text in `text/plain`, computed from the runs; this
extension copies it to the image, and warns of a picture that has none.
"""

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.util import logging

logger = logging.getLogger(__name__)


class AltText(SphinxTransform):
    """Copy the plain text of each output to its image, unless the cell's metadata has an `alt`."""

    default_priority = 500

    def apply(self, **_: Any) -> None:
        """Visit every output of every cell."""
        for bundle in self.document.findall(_is_bundle):
            texts = [form.astext() for form in bundle if form.get("mime_type") == "text/plain"]
            # Matplotlib's own text, <Figure size …>, says nothing.
            alt = next((text for text in texts if not text.startswith("<")), "")
            for image in bundle.findall(nodes.image):
                if not image.setdefault("alt", " ".join(alt.split())):
                    logger.warning(
                        "a picture has no alternative text; show a grokbook.figures.Picture",
                        location=bundle,
                        type="grokbook",
                        subtype="alt",
                    )


def _is_bundle(node: nodes.Node) -> bool:
    return isinstance(node, nodes.container) and node.get("nb_element") == "mime_bundle"


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the transform; listed as `grokbook.figures.alt_text` in the book's extensions."""
    app.add_transform(AltText)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
