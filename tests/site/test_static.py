"""What the files of the built pages say, read without a browser."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

import pytest

VENDOR = Path(__file__).resolve().parents[2] / "book" / "_static" / "vendor"
VERDICTS = {
    "reproduced",
    "reproduced in part",
    "not reproduced",
    "refuted",
    "not testable as stated",
    "not yet run",
}
# Attributes by which a page fetches something by itself; a link waits for the reader.
FETCHED = {"src", "srcset", "poster", "data", "background"}
FETCHING_LINKS = {"stylesheet", "icon", "preload", "modulepreload", "prefetch", "preconnect"}
REMOTE = re.compile(r"\s*(?:https?:|wss?:)?//", re.IGNORECASE)
IN_STYLE = re.compile(
    r"""(?:url\(\s*|@import\s+)["']?\s*((?:https?:)?//[^"')\s]+)""", re.IGNORECASE
)


@dataclass
class Page(HTMLParser):
    """One page: what it fetches, where it links to, its anchors, pictures and verdicts."""

    path: Path
    language: str = ""
    title: str = ""
    fetched: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)
    alts: list[str] = field(default_factory=list)
    verdicts: list[list[str]] = field(default_factory=list)
    scripts: list[str] = field(default_factory=list)
    styles: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self.inside: list[str] = []
        self.feed(self.path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what a tag fetches, links to or names."""
        given = {name: value or "" for name, value in attrs}
        self.inside.append(tag)
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        self.styles.append(given.get("style", ""))
        if tag == "html":
            self.language = given.get("lang", "")
        if tag == "img":
            self.alts.append(given.get("alt", ""))
        if "data-verdict" in given:
            self.verdicts.append([given["data-verdict"], ""])
        self.fetched += [given[name] for name in FETCHED & set(given)]
        if tag in {"link", "use", "image"} and "href" in given:
            fetches = tag != "link" or FETCHING_LINKS & set(given.get("rel", "").split())
            (self.fetched if fetches else self.links).append(given["href"])
        elif "href" in given:
            self.links.append(given["href"])

    def handle_data(self, data: str) -> None:
        """Note the text of the title, of scripts and styles, and of a badge."""
        tag = self.inside[-1] if self.inside else ""
        if tag == "title" and "svg" not in self.inside:
            self.title += data
        elif tag == "script":
            self.scripts.append(data)
        elif tag == "style":
            self.styles.append(data)
        elif tag == "span" and self.verdicts and not self.verdicts[-1][1]:
            self.verdicts[-1][1] = data

    def handle_endtag(self, tag: str) -> None:
        """Leave a tag, and with it those that HTML does not close."""
        while self.inside and self.inside.pop() != tag:
            pass


@pytest.fixture(scope="module")
def parsed(pages: list[Path]) -> dict[Path, Page]:
    """Every page, parsed."""
    return {page: Page(page) for page in pages}


def test_no_page_fetches_from_another_host(parsed):
    fetched = [(page.path.name, url) for page in parsed.values() for url in page.fetched]
    assert len(fetched) > 20
    assert [(name, url) for name, url in fetched if REMOTE.match(url)] == []


def test_no_script_on_a_page_names_another_host(parsed):
    # Not even one that waits: a script's address is there to be fetched.
    named = [
        (page.path.name, url)
        for page in parsed.values()
        for script in page.scripts
        for url in re.findall(r"""(?:https?:)?//[\w.-]+\.[a-z]{2,}[^\s"'<]*""", script)
        if "www.w3.org/" not in url  # a namespace is no address
    ]
    assert named == []


def test_no_style_fetches_from_another_host(html, parsed):
    styles = [(path.name, path.read_text(encoding="utf-8")) for path in html.rglob("*.css")]
    assert len(styles) > 5
    styles += [(page.path.name, style) for page in parsed.values() for style in page.styles]
    assert [(name, url) for name, text in styles for url in IN_STYLE.findall(text)] == []


def test_our_scripts_name_no_host(html):
    assert "//" not in re.sub(
        r"/\*.*?\*/", "", (html / "_static" / "page.js").read_text(), flags=re.S
    )


def test_every_style_finds_its_files(html):
    lost = [
        (style.name, url)
        for style in html.rglob("*.css")
        for url in re.findall(r"""url\(\s*["']?([^"')]+)""", style.read_text(encoding="utf-8"))
        if not url.startswith(("data:", "#", "%23"))
        and not (style.parent / urlsplit(url).path).is_file()
    ]
    assert lost == []


def test_every_internal_link_leads_somewhere(parsed, html):
    broken = []
    for page in parsed.values():
        for link in page.links + page.fetched:
            if urlsplit(link).scheme or REMOTE.match(link):
                continue
            address, anchor = urldefrag(unquote(link))
            path = urlsplit(address).path
            target = (page.path.parent / path).resolve() if path else page.path
            there = target.is_file() and html in target.parents
            if there and anchor and target.suffix == ".html":
                there = anchor in parsed[target].anchors
            if not there:
                broken.append((page.path.name, link))
    assert broken == []


def test_the_root_leads_to_the_book(html):
    target = re.search(r"url=([^\"]+)", (html / "index.html").read_text(encoding="utf-8")).group(1)
    assert (html / target).is_file()


def test_every_picture_says_what_it_shows(parsed):
    alts = [(page.path.name, alt.strip()) for page in parsed.values() for alt in page.alts]
    assert alts
    # Sphinx falls back to the file's path, which says nothing.
    assert [one for one in alts if not one[1] or re.search(r"\.(png|svg|jpe?g)$", one[1])] == []


def test_every_page_has_a_language_and_a_title(parsed):
    assert [page.path.name for page in parsed.values() if page.language != "en"] == []
    assert [page.path.name for page in parsed.values() if not page.title.strip()] == []


def test_every_badge_says_its_verdict_in_words(parsed):
    badges = [badge for page in parsed.values() for badge in page.verdicts]
    assert badges
    assert [badge for badge in badges if badge[0] not in VERDICTS or badge[1] != badge[0]] == []


def test_vendored_files_are_few_and_licensed():
    folders = [folder for folder in VENDOR.iterdir() if folder.is_dir()]
    assert folders
    assert [folder.name for folder in folders if not (folder / "LICENSE").is_file()] == []
    assert sum(path.stat().st_size for path in VENDOR.rglob("*") if path.is_file()) < 2_500_000
