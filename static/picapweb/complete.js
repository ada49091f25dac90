// `input[data-complete]` and `textarea[data-complete]` get a list of what may come next (GET /complete/): names, operators, values.
// Down and Up choose, Enter or Tab takes, Escape closes. data-lang: "pql" or "display"; without it the text says which it is.
// Index, jobs and language are those of the form, where it has fields of these names; data-jobs is another name of its jobs. The
// list lies over the page: nothing moves.
"use strict";
(() => {
  const PAUSE = 120; // ms without a key before the server is asked
  const KEPT = 200; // answers
  const answers = new Map();
  const upgraded = new WeakSet();
  let timer = 0, running = null, at = null; // the input that the list is of
  let proposals = [], from = 0, to = 0, chosen = -1, shown = ""; // shown: the address that the list is the answer of

  const list = document.createElement("ul");
  list.id = "completions";
  list.className = "completions";
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "Proposals");
  list.setAttribute("popover", "manual");
  list.hidden = true;
  const said = document.createElement("p");
  said.className = "unseen";
  said.setAttribute("role", "status");

  // Offsets of the server are in characters, those of inputs in UTF-16 units.
  const characters = (text, units) => [...text.slice(0, units)].length;
  const units = (text, count) => [...text].slice(0, count).join("").length;

  function upgrade(input) {
    if (upgraded.has(input)) return;
    upgraded.add(input);
    if (!list.isConnected) document.body.append(list, said);
    const isInput = input.nodeName === "INPUT";
    const names = { "aria-autocomplete": "list", "aria-controls": list.id, "aria-haspopup": "listbox" };
    if (isInput) Object.assign(names, { role: "combobox", "aria-expanded": "false" });
    for (const [name, value] of Object.entries(names)) input.setAttribute(name, value);
    input.addEventListener("input", () => later(input));
    input.addEventListener("keydown", (event) => key(event, input));
    input.addEventListener("blur", close);
    input.addEventListener("click", close);
  }

  function address(input) {
    const query = new URLSearchParams({ text: input.value, at: characters(input.value, input.selectionStart) });
    const form = input.form ? new FormData(input.form) : new FormData();
    const lang = input.dataset.lang ?? form.get("lang");
    if (lang) query.set("lang", lang);
    const index = input.dataset.index ?? form.get("index");
    if (index) query.set("index", index);
    for (const job of form.getAll(input.dataset.jobs ?? "job")) if (job) query.append("job", job);
    return `/complete/?${query}`;
  }

  function later(input) {
    clearTimeout(timer);
    timer = setTimeout(() => ask(input), PAUSE);
  }

  async function ask(input) {
    stop();
    if (document.activeElement !== input || input.selectionStart !== input.selectionEnd) return close();
    const url = address(input);
    let answer = answers.get(url);
    if (!answer) {
      const mine = (running = new AbortController());
      try {
        const response = await fetch(url, { headers: { Accept: "application/json" }, signal: mine.signal });
        if (!response.ok) return close();
        answer = await response.json();
      } catch {
        return; // another key was struck meanwhile, or the server is away: the query can be typed all the same
      } finally {
        if (running === mine) running = null;
      }
      if (answers.size >= KEPT) answers.delete(answers.keys().next().value);
      if (!answer.cut) answers.set(url, answer);
    }
    if (document.activeElement === input && address(input) === url) show(input, answer, url);
  }

  // What is under way, in time or on the wire, is not wanted any more.
  function stop() {
    clearTimeout(timer);
    timer = 0;
    running?.abort();
    running = null;
  }

  function show(input, answer, url) {
    if (!answer.proposals.length) return close();
    at = input;
    shown = url;
    ({ proposals, from, to } = answer);
    chosen = -1;
    list.replaceChildren(...proposals.map(item));
    list.hidden = false;
    if (list.showPopover && !list.matches(":popover-open")) list.showPopover();
    place(input);
    if (input.nodeName === "INPUT") input.setAttribute("aria-expanded", "true");
    input.removeAttribute("aria-activedescendant");
    said.textContent = `${proposals.length} proposal${proposals.length === 1 ? "" : "s"}`;
  }

  function item(proposal, number) {
    const option = document.createElement("li");
    option.id = `completion-${number}`;
    option.className = proposal.kind;
    option.setAttribute("role", "option");
    option.setAttribute("aria-selected", "false");
    const text = document.createElement("bdi"), note = document.createElement("span");
    text.textContent = proposal.text.trim();
    note.textContent = proposal.note;
    option.append(text, note);
    option.addEventListener("pointerdown", (event) => event.preventDefault()); // the input keeps the focus
    option.addEventListener("click", () => takeOf(at, number));
    return option;
  }

  // A page that is shown larger (look.css) counts in larger pixels than the window does.
  const larger = () => list.currentCSSZoom || 1;

  // Under the input, or under the line of a textarea that the cursor is in; above where there is no room.
  function place(input) {
    const box = input.getBoundingClientRect();
    const caret = input.nodeName === "TEXTAREA" ? caretOf(input, box) : { left: box.left, top: box.top, bottom: box.bottom };
    const across = document.documentElement.clientWidth;
    const zoom = larger();
    const width = Math.min(Math.max(360 * zoom, input.nodeName === "INPUT" ? box.width : 0), 640 * zoom, across - 16);
    list.style.width = `${width / zoom}px`;
    list.style.left = `${Math.max(8, Math.min(caret.left, across - width - 8)) / zoom}px`;
    const below = innerHeight - caret.bottom - 8, above = caret.top - 8;
    const up = below < 160 && above > below;
    list.style.maxHeight = `${Math.max(80, Math.min(360, (up ? above : below) / zoom))}px`;
    list.style.top = up ? "auto" : `${(caret.bottom + 2) / zoom}px`;
    list.style.bottom = up ? `${(innerHeight - caret.top + 2) / zoom}px` : "auto";
  }

  function caretOf(area, box) {
    const mirror = document.createElement("div"), mark = document.createElement("span"), style = getComputedStyle(area);
    for (const name of ["font", "letterSpacing", "padding", "border", "boxSizing", "lineHeight"]) mirror.style[name] = style[name];
    Object.assign(mirror.style, { position: "fixed", visibility: "hidden", whiteSpace: "pre-wrap", overflowWrap: "break-word" });
    Object.assign(mirror.style, { left: `${box.left / larger()}px`, top: `${box.top / larger()}px`, width: `${area.clientWidth}px` });
    mark.textContent = "\u200b";
    mirror.append(area.value.slice(0, area.selectionStart), mark);
    document.body.append(mirror);
    const at = mark.getBoundingClientRect();
    mirror.remove();
    const top = at.top - area.scrollTop;
    return { left: at.left, top, bottom: Math.min(top + at.height, box.bottom) };
  }

  function close() {
    stop();
    if (list.hidden) return;
    if (list.hidePopover && list.matches(":popover-open")) list.hidePopover();
    list.hidden = true;
    said.textContent = "";
    at?.removeAttribute("aria-activedescendant");
    if (at?.nodeName === "INPUT") at.setAttribute("aria-expanded", "false");
    at = null;
  }

  function choose(number) {
    list.children[chosen]?.setAttribute("aria-selected", "false");
    chosen = number;
    const option = list.children[chosen];
    if (!option) return at.removeAttribute("aria-activedescendant");
    option.setAttribute("aria-selected", "true");
    option.scrollIntoView({ block: "nearest" });
    at.setAttribute("aria-activedescendant", option.id);
  }

  // Who has typed on since the list was shown means what it is about to say: its places are those of the text before. Of the next
  // list the same is taken, or the first where none was chosen.
  async function takeOf(input, number) {
    if (address(input) === shown) return take(Math.max(0, number));
    const same = proposals[number]?.text;
    await ask(input);
    const next = same ? proposals.findIndex(({ text }) => text === same) : 0;
    if (at === input && address(input) === shown && next >= 0) take(next);
  }

  function take(number) {
    const input = at, text = proposals[number].text;
    const begin = units(input.value, from), end = units(input.value, to);
    const written = text.endsWith(" ") && input.value[end] === " " ? text.slice(0, -1) : text;
    close();
    input.focus();
    input.setSelectionRange(begin, end);
    // As if it was typed: it can be undone
    if (!document.execCommand?.("insertText", false, written)) {
      input.setRangeText(written, begin, end, "end");
      input.dispatchEvent(new Event("input", { bubbles: true }));
    }
    if (written !== text) input.setSelectionRange(begin + text.length, begin + text.length);
    ask(input);
  }

  function key(event, input) {
    if (event.ctrlKey || event.metaKey || event.isComposing) return;
    const open = !list.hidden && at === input;
    const last = list.children.length - 1;
    if (!open) {
      if (event.key === "ArrowDown" && (event.altKey || input.nodeName === "INPUT")) ask(input);
      else if (event.key === "Escape" && (timer || running)) stop(); // the list that is about to come
      else {
        if (event.key === "Enter") stop();
        return;
      }
    } else if (event.key === "ArrowDown") choose(chosen === last ? -1 : chosen + 1);
    else if (event.key === "ArrowUp") choose(chosen === -1 ? last : chosen - 1);
    else if (event.key === "Enter" && chosen >= 0) takeOf(input, chosen);
    else if (event.key === "Tab" && !event.shiftKey && !event.altKey) takeOf(input, chosen);
    else if (event.key === "Escape") close();
    else {
      if (["Enter", "ArrowLeft", "ArrowRight", "Home", "End"].includes(event.key)) close();
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  const all = (root) => root.querySelectorAll("input[data-complete], textarea[data-complete]").forEach(upgrade);
  all(document);
  document.addEventListener("htmx:load", (event) => all(event.target));
  document.addEventListener("picapweb:put", () => { close(); all(document); }); // explore.js changed the page
  addEventListener("resize", close);
  addEventListener("scroll", (event) => { if (at && event.target !== list) place(at); }, { capture: true, passive: true });
})();
