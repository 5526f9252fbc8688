/* The explorer: two sliders and a map choose a pair of weight decay and share of the data, and its
   archived curves are drawn. grokbook/figures/explorer_plot.py draws the first pair the same way.
   No requests, no storage, nothing global. */
"use strict";

(() => {
  function enliven(figure) {
    const data = JSON.parse(figure.querySelector('script[type="application/json"]').textContent);
    const svg = figure.querySelector(".explorer-plot > svg");
    const [decay, share] = figure.querySelectorAll('input[type="range"]');
    const readout = figure.querySelector("output");
    const cellAt = new Map(data.cells.map((cell) => [cell.at.join(), cell]));
    const axes = svg.querySelector("svg");
    const top = Number(axes.getAttribute("y"));
    const bottom = top + Number(axes.getAttribute("height"));
    const tones = JSON.parse(svg.dataset.tones);  /* of lines and of words */

    function element(name, attributes, text) {
      const made = document.createElementNS(svg.namespaceURI, name);
      for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
      if (text !== undefined) made.textContent = text;
      return made;
    }

    /* Where a step stands on the log axis, in per mille of its length. */
    function place(step) {
      const share = Math.log(step / data.first) / Math.log(data.last / data.first);
      return Math.round(10000 * share) / 10;
    }
    const percent = (permille) => `${(permille / 10).toFixed(2)}%`;

    function curve([, strong, flat]) {
      const points = [];
      for (let i = 0; i < flat.length; i += 2) points.push(`${place(flat[i])},${1000 - flat[i + 1]}`);
      return element("polyline", {
        points: points.join(" "),
        ...(strong ? { "stroke-width": 2 } : { "stroke-width": 1, opacity: 0.4 }),
        "vector-effect": "non-scaling-stroke",
      });
    }

    function mark([split, step]) {
      const x = percent(place(step));
      return element("line", {
        x1: x, x2: x, y1: top, y2: bottom, stroke: tones[split][0], "stroke-dasharray": "4 3",
      });
    }

    function text([split, words, x, y, anchor]) {
      const look = { x: percent(x), y, "text-anchor": anchor, fill: tones[split][1] };
      return element("text", look, words);
    }

    /* What is drawn of a pair that was not trained: that it was not. */
    function untrained(pair) {
      const look = { x: "50%", "text-anchor": "middle" };
      const middle = (top + bottom) / 2;
      return [
        element("text", { ...look, y: middle - 8 }, "not trained:"),
        element("text", { ...look, y: middle + 14 }, pair),
      ];
    }

    function draw(cell, pair) {
      for (const group of axes.children) {
        const own = (cell?.curves ?? []).filter(([split]) => split === group.dataset.split);
        group.replaceChildren(...own.map(curve));
      }
      svg.querySelector(".explorer-marks").replaceChildren(...(cell?.marks ?? []).map(mark));
      const texts = cell ? cell.texts.map(text) : untrained(pair);
      svg.querySelector(".explorer-texts").replaceChildren(...texts);
    }

    /* Show on a slider, in words, what its position means. */
    function name(slider, value) {
      slider.setAttribute("aria-valuetext", value);
      slider.closest("label").querySelector("b").textContent = value;
    }

    function show() {
      const [row, column] = [decay.valueAsNumber, share.valueAsNumber];
      const pair = `weight decay ${data.decays[row]}, ${data.shares[column]} of the pairs`;
      const cell = cellAt.get(`${row},${column}`);
      name(decay, data.decays[row]);
      name(share, data.shares[column]);
      draw(cell, pair);
      readout.textContent = cell?.sentence ?? `W${pair.slice(1)}: not trained.`;
      svg.setAttribute("aria-label", readout.textContent);
      figure.querySelectorAll(".explorer-map tbody tr").forEach((line, i) => {
        line.querySelectorAll("td").forEach((entry, j) => {
          const chosen = i === row && j === column;
          entry.classList.toggle("chosen", chosen);
          entry.firstElementChild?.setAttribute("aria-pressed", chosen);
        });
      });
    }

    for (const entry of figure.querySelectorAll("td[data-cell]")) {
      const cell = data.cells[Number(entry.dataset.cell)];
      const button = document.createElement("button");
      const onset = entry.textContent;
      Object.assign(button, { type: "button", textContent: onset });
      const [row, column] = cell.at;
      const pair = `weight decay ${data.decays[row]}, ${data.shares[column]}`;
      button.setAttribute("aria-label", `${onset}: ${pair}`);
      button.addEventListener("click", () => {
        [decay.value, share.value] = cell.at;
        show();
      });
      entry.replaceChildren(button);
    }
    decay.addEventListener("input", show);
    share.addEventListener("input", show);
    figure.querySelector(".explorer-controls").hidden = false;
    [decay.value, share.value] = data.cells[data.start].at;  /* not a restored one */
    show();
  }

  document.querySelectorAll(".explorer").forEach(enliven);
})();
