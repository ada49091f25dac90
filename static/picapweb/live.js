// Keeps the parts of a page that say data-live up to date. Server-sent events say that something changed, htmx asks for the
// part, and only what differs is changed in it: focus, selection, scroll position and open details stay as they are.
// Without events (the page has none, or the server refuses another stream) it asks every second. A hidden page rests.
"use strict";
(() => {
  const PACE = 1000; // at most one update in so many ms (a part may say more), and a quarter of the time is spent on them at most
  const STREAM_AGAIN = 30000;

  // A part of the page: asked for again when that is wanted, one request at a time.
  class Part {
    constructor(root) {
      this.root = root;
      this.pace = Number(root.dataset.pace) || PACE;
      this.timer = this.due = this.began = 0;
      this.busy = this.again = false;
      this.answered = new Date();
      root.addEventListener("htmx:afterRequest", (event) => this.settled(event));
    }

    want() {
      if (document.hidden || !this.root.hasAttribute("data-live")) return;
      if (this.busy) this.again = true;
      else if (!this.timer) this.timer = setTimeout(() => this.ask(), Math.max(0, this.due - performance.now()));
    }

    ask() {
      this.timer = 0;
      this.busy = true;
      this.began = performance.now();
      htmx.trigger(this.root, "live");
    }

    settled(event) {
      const now = performance.now();
      this.busy = false;
      this.due = Math.max(this.began + this.pace, now + 3 * (now - this.began));
      if (event.detail.successful) this.answered = new Date();
      else if (event.detail.xhr.status === 404) location.reload(); // it was deleted: the page says so
      say(event.detail.successful ? "" : "no answer since " + this.answered.toLocaleTimeString());
      if (this.again) {
        this.again = false;
        this.want();
      }
    }

    rest() {
      clearTimeout(this.timer);
      this.timer = 0;
    }
  }

  function say(words) {
    const place = document.querySelector("[data-stale]");
    if (place && place.textContent !== words) place.textContent = words;
  }

  const parts = [...document.querySelectorAll("[data-live]")].map((root) => new Part(root));
  if (!parts.length) return;
  const changed = () => parts.forEach((part) => part.want());
  const events = parts.map((part) => part.root.dataset.events).find(Boolean);
  let source = null;
  let streaming = false;
  let next = 0;

  function listen() {
    clearTimeout(next);
    if (document.hidden || !events || !window.EventSource) return;
    source = new EventSource(events);
    source.addEventListener("open", () => {
      streaming = true;
    });
    source.addEventListener("job", changed);
    source.addEventListener("deleted", changed);
    source.addEventListener("error", () => {
      // A stream that broke off is opened again by the browser; one that was refused is not.
      streaming = false;
      if (source && source.readyState === EventSource.CLOSED) next = setTimeout(listen, STREAM_AGAIN);
    });
  }

  function rest() {
    clearTimeout(next);
    if (source) source.close();
    source = null;
    streaming = false;
    parts.forEach((part) => part.rest());
  }

  document.addEventListener("visibilitychange", () => {
    rest();
    listen();
    changed();
  });
  window.addEventListener("pagehide", rest);
  setInterval(() => {
    if (!streaming) changed();
  }, PACE);
  listen();

  // Changing a part in place.

  htmx.defineExtension("in-place", {
    handleSwap(style, target, fragment) {
      if (style !== "in-place") return false;
      const fresh = fragment.querySelector("#" + CSS.escape(target.id));
      if (fresh) update(target, fresh, getSelection());
      return []; // nothing that htmx would have to set up
    },
  });

  const ELEMENT = Node.ELEMENT_NODE;
  const key = (node) => (node.nodeType === ELEMENT ? node.id || node.dataset.key || "" : "");
  const alike = (one, other) => one.nodeType === other.nodeType && one.nodeName === other.nodeName && key(one) === key(other);

  function update(old, fresh, selection) {
    if (old.nodeType !== ELEMENT) {
      // What is being selected is being copied: it stays until it is let go.
      const held = selection && !selection.isCollapsed && selection.containsNode(old, true);
      if (old.data !== fresh.data && !held) old.data = fresh.data;
      return;
    }
    attributes(old, fresh);
    if (old.hasAttribute("data-steady")) steady(old, fresh, selection);
    else children(old, fresh, selection);
  }

  function attributes(old, fresh) {
    // Open details are the reader's; the class of the part itself is htmx's.
    const mine = (name) => (name === "open" && old.nodeName === "DETAILS") || (name === "class" && old.hasAttribute("hx-ext"));
    for (const { name, value } of [...fresh.attributes]) {
      if (!mine(name) && old.getAttribute(name) !== value) old.setAttribute(name, value);
    }
    for (const { name } of [...old.attributes]) if (!mine(name) && !fresh.hasAttribute(name)) old.removeAttribute(name);
  }

  function children(old, fresh, selection) {
    let at = old.firstChild;
    for (const node of [...fresh.childNodes]) {
      let found = at;
      while (found && !alike(found, node)) found = found.nextSibling;
      if (!found) {
        old.insertBefore(node, at);
        continue;
      }
      while (at !== found) at = remove(at);
      update(found, node, selection);
      at = found.nextSibling;
    }
    while (at) at = remove(at);
  }

  function remove(node) {
    const next = node.nextSibling;
    node.remove();
    return next;
  }

  // A list in which what stays keeps its place: what comes takes the places of what goes.
  function steady(list, fresh, selection) {
    const coming = new Map([...fresh.children].map((item) => [item.dataset.key, item]));
    const going = [];
    for (const item of [...list.children]) {
      const now = coming.get(item.dataset.key);
      coming.delete(item.dataset.key);
      if (now) update(item, now, selection);
      else going.push(item);
    }
    for (const item of going) {
      const [next] = item.contains(document.activeElement) ? [] : coming.values();
      if (next) coming.delete(next.dataset.key);
      else if (item.contains(document.activeElement)) {
        // Somebody is about to follow it: it stays, and the last that comes waits.
        coming.delete([...coming.keys()].pop());
        continue;
      }
      if (next) item.replaceWith(next);
      else item.remove();
    }
    list.append(...coming.values());
  }
})();
