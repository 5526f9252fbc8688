/* Activations as they move: a slider goes through the frames of a training, and each dot leaves the
   way it has come by. grokbook/figures/motion.py draws the last frame in the same way.
   No requests, no storage, nothing global. */
"use strict";

(() => {
  function enliven(figure) {
    const data = JSON.parse(figure.querySelector('script[type="application/json"]').textContent);
    const slider = figure.querySelector('input[type="range"]');
    const label = figure.querySelector("label");
    const readout = figure.querySelector("output");
    const plots = [...figure.querySelectorAll("svg")].map((plot) => ({
      dots: [...plot.querySelectorAll(".dots circle")],
      trails: [...plot.querySelectorAll(".trails path")],
    }));

    function show() {
      const at = slider.valueAsNumber;
      plots.forEach(({ dots, trails }, arm) => {
        const frames = data.arms[arm];
        const place = (frame, i) => [frames[frame][2 * i], frames[frame][2 * i + 1]].map(
          (tenths) => tenths / data.fine);
        dots.forEach((dot, i) => {
          const [x, y] = place(at, i);
          dot.setAttribute("cx", x);
          dot.setAttribute("cy", y);
          let way = "M" + place(0, i);
          for (let frame = 1; frame <= at; frame += 1) way += "L" + place(frame, i);
          trails[i].setAttribute("d", way);
        });
      });
      const said = data.texts[at];
      label.querySelector("b").textContent = said.slice("Step ".length, said.search(/[ :]\(|:/));
      slider.setAttribute("aria-valuetext", said);
      readout.textContent = said;
    }

    slider.addEventListener("input", show);
    label.hidden = false;
    slider.value = slider.defaultValue;  /* not a restored one */
    show();
  }

  document.querySelectorAll(".motion").forEach(enliven);
})();
