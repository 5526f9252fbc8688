"""What a reader meets: the built pages in a browser that may speak to this machine only."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

pytestmark = pytest.mark.timeout(1200)  # for a busy machine; the pages themselves take seconds

VERDICTS = (
    "reproduced",
    "reproduced in part",
    "not reproduced",
    "refuted",
    "not testable as stated",
    "not yet run",
)

# The page's own width, and what of the text reaches out of the window without a scroll box.
TOO_WIDE = """() => {
  const out = [];
  if (document.scrollingElement.scrollWidth > innerWidth) out.push("the page itself");
  const scrolls = (e) => /auto|scroll/.test(getComputedStyle(e).overflowX);
  for (const e of document.querySelectorAll("article.bd-article *")) {
    const box = e.getBoundingClientRect();
    if (!box.width || box.right <= innerWidth + 1 || e.closest("mjx-assistive-mml")) continue;
    let above = e;
    while (above && !scrolls(above) && above.tagName !== "ARTICLE") above = above.parentElement;
    if (above?.tagName === "ARTICLE") out.push(e.outerHTML.slice(0, 90));
  }
  return out.slice(0, 3);
}"""
MATHEMATICS = """async () => {
  const formulas = document.querySelectorAll("span.math, div.math").length;
  if (!formulas) return [0, 0, 0];
  await MathJax.startup.promise;
  const set = (q) => document.querySelectorAll(q).length;
  return [formulas, set("mjx-container"), set("mjx-merror, [data-mjx-error]")];
}"""


@dataclass
class Visit:
    """What one page did while it was read in a wide and in a narrow window."""

    name: str
    remote: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    formulas: tuple[int, int, int] = (0, 0, 0)
    too_wide: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def visits(chromium, site: str, html: Path, pages: list[Path]) -> list[Visit]:
    """Read every page once."""
    with chromium.new_context(viewport={"width": 1400, "height": 900}) as context:
        context.set_default_timeout(180_000)
        return [read(context, site, page.relative_to(html).as_posix()) for page in pages]


def read(context, site: str, name: str) -> Visit:
    """Read one page, narrow its window, and note what happens."""
    visit, tab = Visit(name), context.new_page()
    local = (site + "/", "data:", "blob:")
    tab.on("request", lambda r: r.url.startswith(local) or visit.remote.append(r.url))
    tab.on("response", lambda r: r.status < 400 or visit.missing.append(r.url))
    tab.on("pageerror", lambda error: visit.errors.append(str(error)))
    tab.on("console", lambda m: m.type == "error" and visit.errors.append(m.text))
    tab.goto(f"{site}/{name}")
    tab.wait_for_load_state("networkidle")
    visit.formulas = tab.evaluate(MATHEMATICS)
    tab.set_viewport_size({"width": 400, "height": 800})
    tab.wait_for_timeout(300)
    visit.too_wide = tab.evaluate(TOO_WIDE)
    tab.close()
    return visit


def test_no_page_asks_another_host(visits):
    assert {visit.name: visit.remote for visit in visits if visit.remote} == {}


def test_no_page_misses_a_file(visits):
    assert {visit.name: visit.missing for visit in visits if visit.missing} == {}


def test_no_page_reports_an_error(visits):
    assert {visit.name: visit.errors for visit in visits if visit.errors} == {}


def test_all_mathematics_is_set(visits):
    assert any(visit.formulas[0] for visit in visits)
    wrong = {v.name: v.formulas for v in visits if v.formulas[1] < v.formulas[0] or v.formulas[2]}
    assert wrong == {}, "formulas, formulas set, formulas with an error"


def test_no_page_is_wider_than_a_telephone(visits):
    assert {visit.name: visit.too_wide for visit in visits if visit.too_wide} == {}


# ------------------------------------------------------------------------------------------ themes


def theme(tab) -> str:
    """Return the theme that the page shows."""
    return tab.evaluate("document.documentElement.dataset.theme")


def test_the_theme_switches_and_stays(tab, site):
    tab.goto(f"{site}/book/intro.html")
    before = theme(tab)
    other = {"light": "dark", "dark": "light"}[before]
    tab.click(".bd-header-article .theme-switch-button")
    assert theme(tab) == other
    tab.goto(f"{site}/book/notation.html")
    assert theme(tab) == other
    tab.click(".bd-header-article .theme-switch-button")
    assert theme(tab) == before
    assert tab.locator(".theme-switch-button [data-mode]:visible").count() == 1


def luminance(colour: str) -> float:
    """Return the relative luminance of a CSS colour, as WCAG 2 defines it."""
    numbers = colour[colour.index("(") + 1 : -1].replace(",", " ").split()[:3]
    parts = [float(number) / 255 for number in numbers]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, 1 to 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


PAINT = """(verdicts) => {
  const article = document.querySelector("article.bd-article section");
  const paper = getComputedStyle(document.body).backgroundColor;
  const found = {};
  const note = (name, e) => {
    article.append(e);
    const style = getComputedStyle(e), sign = getComputedStyle(e, "::before");
    const clear = /, 0\\)$|transparent/.test(style.backgroundColor);
    found[name] = [style.color, clear ? paper : style.backgroundColor, sign.maskImage];
  };
  for (const verdict of verdicts) {
    const badge = document.createElement("span");
    Object.assign(badge, { className: "verdict", textContent: verdict });
    badge.dataset.verdict = verdict;
    note(verdict, badge);
  }
  const quiet = document.createElement("div");
  quiet.className = "runs-behind";
  note("small text", quiet);
  const link = Object.assign(document.createElement("a"), { href: "#" });
  note("link", link);
  note("text", document.createElement("p"));
  return found;
}"""


@pytest.mark.parametrize("name", ["light", "dark"])
def test_text_and_badges_can_be_read(tab, site, name):
    tab.goto(f"{site}/book/intro.html")
    tab.evaluate("name => document.documentElement.dataset.theme = name", name)
    painted = tab.evaluate(PAINT, list(VERDICTS))
    weak = {one: contrast(ink, paper) for one, (ink, paper, _) in painted.items()}
    assert {one: ratio for one, ratio in weak.items() if ratio < 4.5} == {}
    # Colour is never alone: each verdict has a sign of its own beside its words.
    signs = {painted[verdict][2] for verdict in VERDICTS}
    assert len(signs) == len(VERDICTS)
    assert all(sign.startswith("url") for sign in signs)


def test_figures_stand_on_a_light_card_in_the_dark(tab, site, html):
    figures = 0
    for page in sorted(html.glob("book/*.html")):
        tab.goto(f"{site}/book/{page.name}")
        tab.evaluate("document.documentElement.dataset.theme = 'dark'")
        cards = tab.evaluate(
            "[...document.querySelectorAll('.cell_output img')]"
            ".map(e => getComputedStyle(e).backgroundColor)"
        )
        figures += len(cards)
        assert [card for card in cards if luminance(card) < 0.8] == [], page.name
    assert figures


# -------------------------------------------------------------------------------------- navigation


@pytest.mark.parametrize("width", [1400, 400])
def test_the_contents_lead_to_a_page(tab, site, width):
    tab.set_viewport_size({"width": width, "height": 800})
    tab.goto(f"{site}/book/intro.html")
    links = tab.locator(".bd-docs-nav a.reference:visible")
    if width == 400:
        assert links.count() == 0
        tab.click(".bd-header-article .primary-toggle")
        links.first.wait_for()
    assert links.count() >= 3
    links.last.click()
    tab.wait_for_url("**/book/*.html")
    assert not tab.url.endswith("intro.html")
    assert tab.locator("article h1").is_visible()


def test_the_contents_can_be_put_away_on_a_wide_page(tab, site):
    tab.goto(f"{site}/book/intro.html")
    contents = tab.locator(".bd-sidebar-primary")
    assert contents.is_visible()
    tab.click(".bd-header-article .primary-toggle")
    contents.wait_for(state="hidden")
    tab.click(".bd-header-article .primary-toggle")
    contents.wait_for(state="visible")


def test_every_claim_of_the_ledger_has_its_address(tab, site):
    tab.goto(f"{site}/book/ledger.html")
    names = tab.evaluate(
        "[...document.querySelectorAll('.claim[id], table.ledger tr[id]')].map(e => e.id)"
    )
    assert names
    assert len(names) == len(set(names))
    for name in names:
        tab.goto(f"{site}/book/ledger.html#{name}")
        tab.wait_for_load_state("networkidle")
        top = tab.evaluate("id => document.getElementById(id).getBoundingClientRect().top", name)
        assert 30 < top < 900, f"{name} stands at {top} of 900 pixels"


def test_the_search_finds_a_word_without_a_network(tab, site):
    asked = []
    tab.on("request", lambda r: r.url.startswith(site) or asked.append(r.url))
    tab.goto(f"{site}/search.html?q=memorisation")
    tab.locator("#search-results li a").first.wait_for()
    assert "/book/" in tab.locator("#search-results li a").first.evaluate("e => e.href")
    assert asked == []


# ------------------------------------------------------------------------------- paper and keyboard


def test_paper_has_text_and_nothing_else(tab, site):
    tab.goto(f"{site}/book/intro.html")
    tab.evaluate("document.documentElement.dataset.theme = 'dark'")
    tab.emulate_media(media="print")
    for part in (
        ".bd-sidebar-primary",
        ".bd-sidebar-secondary",
        ".bd-header-article",
        ".bd-footer",
    ):
        assert not tab.locator(part).first.is_visible(), f"{part} is printed"
    assert tab.locator("article h1").is_visible()
    ink, paper = tab.evaluate(
        "[getComputedStyle(document.querySelector('article p')).color,"
        " getComputedStyle(document.body).backgroundColor]"
    )
    assert (ink, paper) == ("rgb(0, 0, 0)", "rgb(255, 255, 255)")


def test_the_keyboard_shows_where_it_is(tab, site):
    tab.goto(f"{site}/book/intro.html")
    for _ in range(4):
        tab.keyboard.press("Tab")
        style, width = tab.evaluate(
            "(s => [s.outlineStyle, s.outlineWidth])(getComputedStyle(document.activeElement))"
        )
        assert style == "solid"
        assert width == "2px"


def test_nothing_moves_for_those_who_ask_for_it(tab, site):
    tab.emulate_media(reduced_motion="reduce")
    tab.goto(f"{site}/book/intro.html")
    moving = tab.evaluate(
        "[...document.querySelectorAll('*')].filter(e => (s => parseFloat(s.transitionDuration) > 0"
        " && s.transitionProperty !== 'none')(getComputedStyle(e))).length"
    )
    assert moving == 0
