// Values that say data-field and data-value: on one that has the focus, "a" asks for it too, "x" for packets without it, "o" for
// those with it as well; "m", the menu key or the right button open a menu of these (with Shift the browser's own). The server
// makes the query (/explore/with/): of this page's own, or of every packet where the page has none. data-index, on the value or
// around it, is the index where that is not in the page's address. Links work without this.
"use strict";
(() => {
  const DROPPED = ["cursor", "as", "field", "value", "how", "n", "prefix", "find", "order", "limit"];
  const HOW = [["and", "and", "a"], ["not", "and not", "x"], ["or", "or", "o"]];
  const KEYS = Object.fromEntries(HOW.map(([how, , key]) => [key, how]));
  let menu = null, opener = null;

  const valueAt = (node) => node?.closest?.("[data-field][data-value]");

  function address(value, how) {
    const query = new URLSearchParams(location.search);
    for (const name of DROPPED) query.delete(name);
    const index = value.closest("[data-index]")?.dataset.index;
    if (index && index !== "net") query.set("index", index);
    query.set("field", value.dataset.field);
    query.set("value", value.dataset.value);
    query.set("how", how);
    return `/explore/with/?${query}`;
  }

  function go(url) {
    const event = new CustomEvent("picapweb:go", { detail: { url: new URL(url, location.href).href }, cancelable: true });
    if (document.dispatchEvent(event)) location.assign(url);
  }

  function item(text, key, props) {
    const node = document.createElement(props.href ? "a" : "button");
    Object.assign(node, props);
    node.setAttribute("role", "menuitem");
    node.tabIndex = -1;
    const words = document.createElement("span"), hint = document.createElement("kbd");
    words.textContent = text;
    hint.textContent = key;
    node.append(words, key ? hint : "");
    return node;
  }

  function open(value, x, y) {
    close();
    opener = value;
    menu = document.createElement("div");
    menu.className = "value-menu";
    const head = document.createElement("p"), list = document.createElement("div");
    head.textContent = `${value.dataset.field} ${value.dataset.value}`;
    list.setAttribute("role", "menu");
    list.setAttribute("aria-label", head.textContent);
    menu.append(head, list);
    list.append(...HOW.map(([how, words, key]) => item(words, key, { href: address(value, how) })));
    list.append(item("in a new tab", "", { href: address(value, "and"), target: "_blank", rel: "noopener" }));
    const copy = item("copy the value", "", { type: "button" });
    copy.addEventListener("click", () => {
      navigator.clipboard?.writeText(value.dataset.value);
      close(true);
    });
    if (navigator.clipboard) list.append(copy);
    document.body.append(menu);
    // A page that is shown larger (look.css) counts in larger pixels than the window does.
    const box = menu.getBoundingClientRect(), zoom = menu.currentCSSZoom || 1;
    menu.style.left = `${Math.max(4, Math.min(x, document.documentElement.clientWidth - box.width - 4)) / zoom}px`;
    menu.style.top = `${Math.max(4, Math.min(y, innerHeight - box.height - 4)) / zoom}px`;
    items()[0].focus();
  }

  const items = () => [...menu.querySelectorAll("[role=menuitem]")];

  function close(back = false) {
    menu?.remove();
    if (back) opener?.focus();
    menu = opener = null;
  }

  function inMenu(event) {
    const all = items(), now = all.indexOf(document.activeElement);
    const key = event.key;
    if (key === "Escape" || key === "Tab") close(true);
    else if (key === "ArrowDown") all[(now + 1) % all.length].focus();
    else if (key === "ArrowUp") all[(now + all.length - 1) % all.length].focus();
    else if (key === "Home") all[0].focus();
    else if (key === "End") all[all.length - 1].focus();
    else if (KEYS[key]) go(address(opener, KEYS[key]));
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  document.addEventListener("keydown", (event) => {
    if (menu) return inMenu(event);
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select")) return;
    const value = valueAt(event.target);
    if (!value) return;
    if (KEYS[event.key]) go(address(value, KEYS[event.key]));
    else if (event.key === "m" || event.key === "ContextMenu" || (event.key === "F10" && event.shiftKey)) {
      const box = value.getBoundingClientRect();
      open(value, box.left, box.bottom);
    } else return;
    event.preventDefault();
  }, true);
  document.addEventListener("contextmenu", (event) => {
    const value = valueAt(event.target);
    if (!value || event.shiftKey) return;
    event.preventDefault();
    if (event.button === 2 || event.clientX) open(value, event.clientX, event.clientY);
  });
  document.addEventListener("pointerdown", (event) => { if (menu && !menu.contains(event.target)) close(); });
  document.addEventListener("click", (event) => { if (menu?.contains(event.target)) setTimeout(close); });
  addEventListener("scroll", () => close(), { capture: true, passive: true });
})();
