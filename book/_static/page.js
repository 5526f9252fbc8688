/* Four repairs that style sheets cannot make. No requests, no storage but the theme's own. */
"use strict";

/* The theme's site-wide bar doubles every button of the page's own bar, and the theme then wires
   only the first of each pair, the hidden one. This runs before the theme does. The empty bar
   stays, because the theme measures it. */
document.getElementById("pst-header")?.replaceChildren();

/* The mode button goes light, dark, light. The system's preference holds until the first press;
   the theme's own third state, "auto", would look like one of the other two. */
document.addEventListener("click", (event) => {
  const button = event.target.closest?.(".theme-switch-button");
  if (!button) return;
  event.stopPropagation();
  const root = document.documentElement;
  const theme = root.dataset.theme === "dark" ? "light" : "dark";
  Object.assign(root.dataset, { theme, mode: theme });
  localStorage.setItem("theme", theme);
  localStorage.setItem("mode", theme);
}, { capture: true });

/* A formula is a box of its own, after which a line may break: the comma that follows it would
   begin the next line. */
function holdPunctuation() {
  for (const formula of document.querySelectorAll("span.math:has(> mjx-container)")) {
    const text = formula.nextSibling;
    const mark = text?.nodeType === Node.TEXT_NODE && text.data.match(/^[.,;:!?)\]’”%]+/)?.[0];
    if (!mark) continue;
    const unbroken = document.createElement("span");
    unbroken.className = "unbroken";
    formula.before(unbroken);
    text.data = text.data.slice(mark.length);
    unbroken.append(formula, mark);
  }
}

/* An inline formula wider than its line gets a scroll box of its own, and no other does: such a
   box stands a little off the base line. */
function boxWideFormulas() {
  for (const formula of document.querySelectorAll("mjx-container:not([display])")) {
    formula.classList.remove("wide");
    const line = formula.closest("p, li, td, dd, h1, h2, h3, h4, figcaption, div");
    if (line && formula.offsetWidth > line.clientWidth - 8) formula.classList.add("wide");
  }
}
window.addEventListener("load", () => {
  window.MathJax?.startup?.promise?.then(() => { holdPunctuation(); boxWideFormulas(); });
  window.addEventListener("resize", boxWideFormulas);
});
