// A range drawn with the pointer over the chart becomes the page of that time. Without a script each bar is a link.
"use strict";
(() => {
  const STEP = 8;
  const written = (ns) => {
    const seconds = ns / 1000000000n, rest = ns % 1000000000n;
    const text = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
    return rest ? `${text}.${String(rest).padStart(9, "0").replace(/(000)+$/, "")}Z` : `${text}Z`;
  };
  // Stretches of time, with the step that each begins at: between two of them time is left out.
  const stretchesOf = (svg) => svg.dataset.stretches.split(" ").map((text) => {
    const [step, bins, first, width] = text.split(",");
    return { step: Number(step), bins: Number(bins), first: BigInt(first), width: BigInt(width) };
  });
  let svg = null, stretches = [], from = 0, drawn = null;
  const stepAt = (event) => {
    const box = svg.getBoundingClientRect(), last = stretches[stretches.length - 1];
    const steps = last.step + last.bins;
    return Math.max(0, Math.min(steps - 1, Math.floor(((event.clientX - box.left) / box.width) * steps)));
  };
  // When a step begins; of left out time, when the next stretch does, or with `ends` when a step ends, and the stretch before.
  const begin = (step) => {
    const one = stretches.find((each) => step < each.step + each.bins);
    return one.first + one.width * BigInt(Math.max(0, step - one.step));
  };
  const end = (step) => {
    const one = stretches.findLast((each) => step >= each.step);
    return one.first + one.width * BigInt(Math.min(one.bins, step - one.step + 1));
  };
  const forget = () => {
    drawn?.remove();
    svg = drawn = null;
  };
  document.addEventListener("pointerdown", (event) => {
    const chart = event.target.closest?.("svg.chart[data-stretches]");
    if (event.button !== 0 || !chart) return;
    svg = chart;
    stretches = stretchesOf(chart);
    from = stepAt(event);
  });
  document.addEventListener("dragstart", (event) => { if (event.target.closest?.("svg.chart")) event.preventDefault(); });
  addEventListener("pointermove", (event) => {
    if (!svg) return;
    const to = stepAt(event), low = Math.min(from, to), high = Math.max(from, to);
    if (low === high && !drawn) return;
    if (!drawn) {
      drawn = document.createElementNS("http://www.w3.org/2000/svg", "rect");
      drawn.setAttribute("class", "brush");
      drawn.setAttribute("height", svg.viewBox.baseVal.height);
      svg.append(drawn);
    }
    drawn.setAttribute("x", low * STEP);
    drawn.setAttribute("width", (high - low + 1) * STEP);
    event.preventDefault();
  });
  addEventListener("pointerup", (event) => {
    if (!svg || !drawn) return forget();
    const to = stepAt(event), low = begin(Math.min(from, to)), high = end(Math.max(from, to));
    svg.addEventListener("click", (click) => click.preventDefault(), { capture: true, once: true }); // it follows no link
    setTimeout(forget);
    if (low >= high) return;
    const url = new URL(location.href);
    url.searchParams.set("from", written(low));
    url.searchParams.set("to", written(high));
    url.searchParams.delete("cursor");
    const go = new CustomEvent("picapweb:go", { detail: { url: url.href }, cancelable: true });
    if (document.dispatchEvent(go)) location.assign(url);
  });
  addEventListener("pointercancel", forget);
})();
