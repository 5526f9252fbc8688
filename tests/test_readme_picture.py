"""The README shows the chapter's own picture, not one of some time ago."""

from hashlib import sha256

from tests.readme_picture import PICTURE, ROOT, stored


def test_readme_shows_the_stored_picture() -> None:
    assert f"(book/_static/{PICTURE.name})" in (ROOT / "README.md").read_text()
    # Digests, since pytest takes minutes to explain how two pictures differ.
    shown, chapter = (sha256(data).hexdigest() for data in (PICTURE.read_bytes(), stored()))
    assert shown == chapter, "make notebooks copies the picture"
