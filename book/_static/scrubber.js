/* The scrubber: a slider over the frames of one training moves power, circle and accuracies.
   grokbook/figures/scrubber_plot.py draws the last frame the same way. No requests, no storage,
   nothing global. */
"use strict";

(() => {
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const WHOLE = 7000;  /* milliseconds from the first frame to the last */

  function enliven(figure) {
    const data = JSON.parse(figure.querySelector('script[type="application/json"]').textContent);
    const find = (name) => figure.querySelector(`.scrubber-${name}`);
    const slider = figure.querySelector('input[type="range"]');
    const button = figure.querySelector("button");
    const [bars, curves] = [find("bars"), find("curves")];
    const plot = curves.querySelector("svg");
    const [round, dots, peak, now] = ["round", "dots", "peak", "now"].map(find);
    const last = data.texts.length - 1;
    /* Which frequencies have which colour, and which one is written, is read off what is drawn. */
    const groups = ["key", "other"].map(find).map((path) => {
      const starts = [...path.getAttribute("d").matchAll(/M(\d+),/g)];
      return [path, starts.map(([, x]) => (Number(x) + 9) / 10)];
    });
    const strongest = Number(peak.textContent);
    const ring = Number(round.dataset.ring);
    const { top, high, over, curve } = data.heights;

    function drawBars(heights) {
      for (const [path, members] of groups) {
        const d = members.map((k) => `M${10 * k - 9},1000V${1000 - heights[k - 1]}h8V1000z`);
        path.setAttribute("d", d.join(""));
      }
      peak.setAttribute("y", (1000 * (top - 5) + high * (1000 - heights[strongest - 1])) / 1000);
    }

    function drawCircle(flat) {
      let d = "";
      for (let i = 0; i < dots.children.length; i += 1) {
        const [x, y] = [flat[2 * i], flat[2 * i + 1]];
        dots.children[i].setAttribute("cx", x);
        dots.children[i].setAttribute("cy", y);
        d += `${i % ring ? "L" : "M"}${x},${y}${i % ring === ring - 1 ? "z" : ""}`;
      }
      round.setAttribute("d", d);
    }

    function drawCursor(frame) {
      const here = `${data.places[frame] / 100}%`;
      now.setAttribute("x1", here);
      now.setAttribute("x2", here);
      curves.querySelectorAll(".scrubber-at").forEach((dot, i) => {
        dot.setAttribute("cx", here);
        dot.setAttribute("cy", (1000 * over + curve * (1000 - data.levels[i][frame])) / 1000);
      });
    }

    function show() {
      const frame = slider.valueAsNumber;
      const [step, train, test, held] = data.texts[frame];
      drawBars(data.bars[frame]);
      drawCircle(data.points[frame]);
      drawCursor(frame);
      const words = `step ${step}: train accuracy ${train}, test accuracy ${test}`;
      slider.setAttribute("aria-valuetext", words);
      plot.setAttribute("aria-label", words);
      const places = [...bars.querySelectorAll("b"), ...curves.querySelectorAll("b")];
      /* Without key frequencies nothing is written of their share. */
      [held, train, test].slice(-places.length).forEach((text, i) => { places[i].textContent = text; });
      slider.closest("label").querySelector("b").textContent = step;
    }

    let timer = 0;
    function pause() {
      clearInterval(timer);
      timer = 0;
      button.classList.remove("playing");
      button.setAttribute("aria-label", "play the training");
    }
    function advance() {
      slider.value = slider.valueAsNumber + 1;
      show();
      if (slider.valueAsNumber === last) pause();
    }
    function play() {
      if (slider.valueAsNumber === last) slider.value = 0;
      show();
      timer = setInterval(advance, Math.max(WHOLE / last, 60));
      button.classList.add("playing");
      button.setAttribute("aria-label", "pause");
    }

    /* The plot of curves is a second slider for a finger or a mouse: the nearest frame is taken. */
    function seek(event) {
      const box = plot.getBoundingClientRect();
      const at = 10000 * (event.clientX - box.left) / box.width;
      const away = data.places.map((place) => Math.abs(place - at));
      pause();
      slider.value = away.indexOf(Math.min(...away));
      show();
    }

    button.addEventListener("click", () => (timer ? pause() : play()));
    slider.addEventListener("input", () => { pause(); show(); });
    plot.addEventListener("pointerdown", (event) => plot.setPointerCapture(event.pointerId));
    plot.addEventListener("pointermove", (event) => {
      if (plot.hasPointerCapture(event.pointerId)) seek(event);
    });
    plot.addEventListener("click", seek);
    /* Who asked for less motion has the slider alone. */
    const settle = () => { button.hidden = calm.matches; if (calm.matches) pause(); };
    calm.addEventListener("change", settle);
    settle();
    find("still").hidden = true;
    find("controls").hidden = false;
    slider.value = last;  /* not a restored one */
    show();
  }

  document.querySelectorAll(".scrubber").forEach(enliven);
})();
