// Pointing at a layer or a field marks its bytes in the dump; pointing at a byte marks the field that holds it.
"use strict";
(() => {
  const dump = document.getElementById("hexdump");
  if (!dump || !window.CSS || !CSS.highlights) return;
  const hex = [...dump.querySelectorAll(".h")].map((line) => line.firstChild);
  const ascii = [...dump.querySelectorAll(".a")].map((line) => line.firstChild);
  const WIDTH = 16;
  const hexAt = (byte) => 3 * byte + (byte >= WIDTH / 2 ? 1 : 0);

  function range(text, from, to) {
    const one = new Range();
    one.setStart(text, Math.min(from, text.length));
    one.setEnd(text, Math.min(to, text.length));
    return one;
  }

  function mark(offset, length) {
    const ranges = [];
    for (let line = Math.floor(offset / WIDTH); line < hex.length && line * WIDTH < offset + length; line++) {
      const from = Math.max(0, offset - line * WIDTH);
      const to = Math.min(WIDTH, offset + length - line * WIDTH);
      ranges.push(range(hex[line], hexAt(from), hexAt(to - 1) + 2), range(ascii[line], from, to));
    }
    CSS.highlights.set("bytes", new Highlight(...ranges));
  }

  const parts = [...document.querySelectorAll(".tree [data-length]")].filter((part) => Number(part.dataset.length) > 0);
  const show = (event) => {
    const part = event.target.closest("[data-length]");
    if (part && Number(part.dataset.length) > 0) mark(Number(part.dataset.offset), Number(part.dataset.length));
  };
  const clear = () => CSS.highlights.delete("bytes");
  const tree = document.querySelector(".tree");
  tree.addEventListener("mouseover", show);
  tree.addEventListener("focusin", show);
  tree.addEventListener("mouseleave", clear);
  tree.addEventListener("focusout", clear);

  function byteAt(event) {
    const span = event.target.closest(".h, .a");
    if (!span) return -1;
    const line = (span.classList.contains("h") ? hex : ascii).indexOf(span.firstChild);
    const box = span.getBoundingClientRect();
    const char = Math.floor(((event.clientX - box.left) / box.width) * span.firstChild.length);
    if (span.classList.contains("a")) return line * WIDTH + char;
    return line * WIDTH + Math.min(WIDTH - 1, Math.floor((char >= hexAt(WIDTH / 2) ? char - 1 : char) / 3));
  }

  let marked = null;
  dump.addEventListener("mousemove", (event) => {
    const byte = byteAt(event);
    const holds = parts.filter((part) => {
      const offset = Number(part.dataset.offset);
      return byte >= offset && byte < offset + Number(part.dataset.length);
    });
    const best = holds.sort((a, b) => Number(a.dataset.length) - Number(b.dataset.length))[0] || null;
    if (best === marked) return;
    if (marked) marked.classList.remove("on");
    marked = best;
    if (best) {
      best.classList.add("on");
      mark(Number(best.dataset.offset), Number(best.dataset.length));
    } else clear();
  });
  dump.addEventListener("mouseleave", () => {
    if (marked) marked.classList.remove("on");
    marked = null;
    clear();
  });
})();
