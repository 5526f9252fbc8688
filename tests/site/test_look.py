"""How the pages look: themes, colours that can be read, paper, keyboard and motion."""

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
    const clear = /^rgba.*, 0\\)$|transparent/.test(style.backgroundColor);
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
CODE = """() => {
  const clear = (e) => /^rgba.*, 0\\)$|transparent/.test(getComputedStyle(e).backgroundColor);
  const found = {};
  for (const token of document.querySelectorAll(".cell_input pre, .cell_input pre span")) {
    let panel = token;
    while (clear(panel) && panel !== document.body) panel = panel.parentElement;
    const colours = [getComputedStyle(token).color, getComputedStyle(panel).backgroundColor];
    if (token.textContent.trim()) found[token.className || "code"] = colours;
  }
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


@pytest.mark.parametrize("name", ["light", "dark"])
def test_code_can_be_read(tab, site, name):
    tab.goto(f"{site}/book/01_phenomenon.html")
    tab.evaluate("name => document.documentElement.dataset.theme = name", name)
    painted = tab.evaluate(CODE)
    assert len(painted) > 5
    weak = {one: contrast(*colours) for one, colours in painted.items()}
    assert {one: ratio for one, ratio in weak.items() if ratio < 4.5} == {}


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
