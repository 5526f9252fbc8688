"""The README shows the chapter's own picture, not one of some time ago."""

from tests.readme_picture import PICTURE, ROOT, stored


def test_readme_shows_the_stored_picture() -> None:
    assert f"(book/_static/{PICTURE.name})" in (ROOT / "README.md").read_text()
    assert PICTURE.read_bytes() == stored(), "make notebooks copies the picture"
