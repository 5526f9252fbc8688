/* The delay by weight decay: a slider moves a cursor along the law, and a sentence says what decay
   alone would take and what was measured nearby. grokbook/figures/delay_slider.py draws the same.
   No requests, no storage, nothing global. */
"use strict";

(() => {
  function enliven(figure) {
    const data = JSON.parse(figure.querySelector('script[type="application/json"]').textContent);
    const slider = figure.querySelector('input[type="range"]');
    const label = figure.querySelector("label");
    const readout = figure.querySelector("output");
    const line = figure.querySelector(".cursor line");
    const dot = figure.querySelector(".cursor circle");
    const [left, right, top, bottom] = data.box;
    const decays = data.cells.map(([decay]) => Math.log(decay));
    const count = (steps) => Math.round(steps).toLocaleString("en-US");
    const short = (value) => String(Number(value.toPrecision(2)));

    /* log(V_mem / V(t_grok)) between two archived weight decays, straight in log λ. */
    function ratio(decay) {
      const x = Math.log(decay);
      let i = decays.findIndex((each) => each >= x - 1e-12);
      if (i <= 0) return i < 0 ? data.ratios.at(-1) : data.ratios[0];
      const share = (x - decays[i - 1]) / (decays[i] - decays[i - 1]);
      return data.ratios[i - 1] + share * (data.ratios[i] - data.ratios[i - 1]);
    }
    const law = (decay) => ratio(decay) / (-2 * Math.log1p(-data.rate * decay));

    /* The weight decay of a position: the archived one where there is one, for its own numbers. */
    function chosen() {
      const [span, last] = [Math.log(data.high / data.low), Number(slider.max)];
      const close = (at) =>
        Math.abs((last * Math.log(at / data.low)) / span - slider.valueAsNumber) <= 0.5;
      const archived = data.cells.find(([at]) => close(at));
      return archived ? archived[0] : data.low * Math.exp((span * slider.valueAsNumber) / last);
    }

    function show() {
      const decay = chosen();
      const share = Math.log(decay / data.low) / Math.log(data.high / data.low);
      const distance = ([each]) => Math.abs(Math.log(each / decay));
      const near = data.cells.reduce((a, b) => (distance(b) < distance(a) ? b : a));
      const [at, median, seeds] = near;
      const [low, high] = data.steps;
      const x = left + share * (right - left);
      const height = Math.log(law(decay) / low) / Math.log(high / low);
      line.setAttribute("x1", x);
      line.setAttribute("x2", x);
      dot.setAttribute("cx", x);
      dot.setAttribute("cy", bottom - height * (bottom - top));
      const from = seeds === 1 ? "one seed" : `median of ${seeds} seeds`;
      label.querySelector("b").textContent = short(decay);
      slider.setAttribute("aria-valuetext", short(decay));
      readout.textContent =
        `Weight decay ${short(decay)}: decay alone would take ${count(law(decay))} steps. ` +
        `Measured at ${at}: ${count(median)} steps (${from}), ` +
        `${(median / law(at)).toFixed(2)} times what decay alone takes there.`;
    }

    slider.addEventListener("input", show);
    label.hidden = false;
    slider.value = slider.defaultValue;  /* not a restored one */
    show();
  }

  document.querySelectorAll(".delay-slider").forEach(enliven);
})();
