// Pointing at a layer or a field marks its bytes in the dump; pointing at a byte marks the field that holds it. By keyboard: in the
// tree and in the dump arrows move, Enter on a line asks for its value. Without this both can be read.
"use strict";
(() => {
  const dump = document.getElementById("hexdump"), tree = document.getElementById("tree"), at = document.getElementById("at");
  if (!dump || !tree) return;
  const hex = [...dump.querySelectorAll(".h")].map((line) => line.firstChild);
  const ascii = [...dump.querySelectorAll(".a")].map((line) => line.firstChild);
  const WIDTH = 16, size = ascii.reduce((sum, line) => sum + line.length, 0);
  const hexAt = (byte) => 3 * byte + (byte >= WIDTH / 2 ? 1 : 0);
  const marks = window.CSS?.highlights ?? null; // older browsers show the words under the dump only

  function range(text, from, to) {
    const one = new Range();
    one.setStart(text, Math.min(from, text.length));
    one.setEnd(text, Math.min(to, text.length));
    return one;
  }

  function mark(name, offset, length) {
    if (!marks) return;
    const ranges = [];
    for (let line = Math.floor(offset / WIDTH); line < hex.length && line * WIDTH < offset + length; line++) {
      const from = Math.max(0, offset - line * WIDTH);
      const to = Math.min(WIDTH, offset + length - line * WIDTH);
      ranges.push(range(hex[line], hexAt(from), hexAt(to - 1) + 2), range(ascii[line], from, to));
    }
    marks.set(name, new Highlight(...ranges));
  }

  // Lines of the tree
  const offsetOf = (part) => Number(part.dataset.offset), lengthOf = (part) => Number(part.dataset.length);
  const all = [...tree.querySelectorAll("summary, .line")];
  const parts = all.filter((part) => lengthOf(part) > 0);
  const lines = () => all.filter((part) => part.offsetParent !== null);
  all.forEach((part, i) => { part.tabIndex = i ? -1 : 0; });
  tree.querySelectorAll(".line a").forEach((link) => { link.tabIndex = -1; }); // Enter on the line follows it

  function say(part, offset, length) {
    const name = part ? (part.querySelector("b") ?? part).textContent.trim().replace(/\s+/g, " ") : "";
    const value = part?.querySelector("b") ? part.querySelector("span").textContent.trim() : "";
    const where = length === 1 ? `byte ${offset}` : `bytes ${offset}–${offset + length - 1}`;
    at.textContent = `${where}${name ? `: ${name} ${value}` : ""}`.slice(0, 200);
  }

  function show(event) {
    const part = event.target.closest("summary, .line");
    if (!part || !(lengthOf(part) > 0)) return clear();
    mark("bytes", offsetOf(part), lengthOf(part));
    say(part, offsetOf(part), lengthOf(part));
    if (event.type === "focusin") inView(offsetOf(part));
  }

  // The bytes box scrolls for itself; the page stays where it is.
  function inView(offset) {
    const box = dump.closest(".bytes"), line = hex[Math.min(hex.length - 1, Math.floor(offset / WIDTH))].parentNode;
    if (box.scrollHeight <= box.clientHeight) return;
    const above = line.getBoundingClientRect().top - box.getBoundingClientRect().top;
    if (above < 0 || above > box.clientHeight - 40) box.scrollTop += above - box.clientHeight / 3;
  }

  function clear() {
    marks?.delete("bytes");
    at.textContent = "";
  }

  tree.addEventListener("mouseover", show);
  tree.addEventListener("focusin", (event) => {
    show(event);
    const part = event.target.closest("summary, .line");
    if (part) all.forEach((one) => { one.tabIndex = one === part ? 0 : -1; });
  });
  tree.addEventListener("mouseleave", clear);
  tree.addEventListener("focusout", clear);
  tree.addEventListener("keydown", (event) => {
    const part = event.target.closest("summary, .line");
    if (!part || event.ctrlKey || event.metaKey || event.altKey) return;
    const some = lines(), now = some.indexOf(part), details = part.closest("details");
    let next = null;
    if (event.key === "ArrowDown") next = some[now + 1];
    else if (event.key === "ArrowUp") next = some[now - 1];
    else if (event.key === "Home") next = some[0];
    else if (event.key === "End") next = some[some.length - 1];
    else if (event.key === "ArrowLeft" && part.nodeName !== "SUMMARY") next = details.querySelector("summary");
    else if (event.key === "ArrowLeft") details.open = false;
    else if (event.key === "ArrowRight" && part.nodeName === "SUMMARY") details.open = true;
    else if (event.key === "Enter" && part.nodeName !== "SUMMARY") part.querySelector("a")?.click();
    else return;
    event.preventDefault();
    next?.focus();
  });

  // Bytes of the dump
  let marked = null, cursor = -1;

  function point(byte) {
    const holds = parts.filter((part) => byte >= offsetOf(part) && byte < offsetOf(part) + lengthOf(part));
    const best = holds.sort((a, b) => lengthOf(a) - lengthOf(b))[0] ?? null;
    if (best !== marked) {
      marked?.classList.remove("on");
      best?.classList.add("on");
      marked = best;
    }
    if (best) mark("bytes", offsetOf(best), lengthOf(best));
    else marks?.delete("bytes");
    if (byte < 0) at.textContent = "";
    else say(best, best ? offsetOf(best) : byte, best ? lengthOf(best) : 1);
  }

  function byteAt(event) {
    const span = event.target.closest(".h, .a");
    if (!span) return -1;
    const line = (span.classList.contains("h") ? hex : ascii).indexOf(span.firstChild);
    const box = span.getBoundingClientRect();
    const char = Math.floor(((event.clientX - box.left) / box.width) * span.firstChild.length);
    const column = span.classList.contains("a") ? char : Math.floor((char >= hexAt(WIDTH / 2) ? char - 1 : char) / 3);
    const byte = line * WIDTH + Math.min(WIDTH - 1, column);
    return byte < size ? byte : -1;
  }

  dump.addEventListener("mousemove", (event) => point(byteAt(event)));
  dump.addEventListener("mouseleave", () => point(document.activeElement === dump ? cursor : -1));
  dump.addEventListener("click", (event) => {
    const byte = byteAt(event);
    if (byte >= 0 && getSelection().isCollapsed) marked?.scrollIntoView({ block: "nearest" });
  });

  dump.tabIndex = 0;
  dump.setAttribute("role", "group");
  dump.setAttribute("aria-label", "Bytes: arrows move from byte to byte");
  const moves = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -WIDTH, ArrowDown: WIDTH };
  function move(to) {
    cursor = Math.max(0, Math.min(size - 1, to));
    mark("byte", cursor, 1);
    point(cursor);
    inView(cursor);
  }
  dump.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (moves[event.key]) move(cursor + moves[event.key]);
    else if (event.key === "Home") move(0);
    else if (event.key === "End") move(size - 1);
    else return;
    event.preventDefault();
  });
  dump.addEventListener("focus", () => { if (dump.matches(":focus-visible")) move(Math.max(0, cursor)); });
  dump.addEventListener("blur", () => {
    marks?.delete("byte");
    point(-1);
  });
})();
