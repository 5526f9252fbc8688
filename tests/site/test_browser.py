"""What a reader meets: the built pages in a browser that may speak to this machine only."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

pytestmark = pytest.mark.timeout(1200)  # for a busy machine; the pages themselves take seconds

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
# Formulas, formulas that MathJax has set, formulas with an error.
MATHEMATICS = """async () => {
  const formulas = document.querySelectorAll("span.math, div.math").length;
  if (!formulas) return [0, 0, 0];
  await MathJax.startup.promise;
  const set = (q) => document.querySelectorAll(q).length;
  return [formulas, set("mjx-container"), set("mjx-merror, [data-mjx-error]")];
}"""


# Text that should have been a formula: $…$ with a command, an index or a power.
DOLLARS = """() => [...document.querySelectorAll("article :is(p, li, td, dd, figcaption)")]
  .map((e) => { const copy = e.cloneNode(true);
                copy.querySelectorAll("code, pre, mjx-container").forEach((c) => c.remove());
                return copy.textContent.match(/\\$[^$]*[\\\\^_][^$]*\\$/)?.[0]; })
  .filter(Boolean)"""


@dataclass
class Visit:
    """What one page did while it was read in a wide and in a narrow window."""

    name: str
    remote: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    formulas: tuple[int, int, int] = (0, 0, 0)
    dollars: list[str] = field(default_factory=list)
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
    visit.dollars = tab.evaluate(DOLLARS)
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
    assert {visit.name: visit.dollars for visit in visits if visit.dollars} == {}


def test_no_page_is_wider_than_a_telephone(visits):
    assert {visit.name: visit.too_wide for visit in visits if visit.too_wide} == {}


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
