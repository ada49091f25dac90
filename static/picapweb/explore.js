// On the explore page, links and forms that lead to it change the page in place: bar and content are put in together when the
// answer is there, the place on the page stays, the address and the history are as after a load. Without this they are loads.
"use strict";
(() => {
  const PARTS = ["ask", "main"];
  const HERE = "/explore/";
  let running = null;
  if (!document.getElementById("ask")) return;

  const ours = (url) => url.origin === location.origin && url.pathname.startsWith(HERE) && !url.searchParams.has("as");

  async function go(url, { push = true, top = null } = {}) {
    running?.abort();
    const mine = (running = new AbortController());
    const main = document.getElementById("main");
    main.setAttribute("aria-busy", "true");
    let answer, text;
    try {
      answer = await fetch(url, { headers: { Accept: "text/html" }, signal: mine.signal });
      text = await answer.text();
    } catch {
      if (!mine.signal.aborted) location.assign(url); // the browser says what is wrong
      return;
    }
    const fresh = new DOMParser().parseFromString(text, "text/html");
    if (!PARTS.every((id) => fresh.getElementById(id))) return location.assign(url);
    if (push) {
      history.replaceState({ ...history.state, top: scrollY }, "");
      history.pushState({ top: 0 }, "", answer.url);
    }
    put(fresh);
    if (top !== null) scrollTo({ top, behavior: "instant" });
  }

  function put(fresh) {
    const before = document.activeElement, again = placeOf(before);
    const typing = before?.id === "q" ? [before.selectionStart, before.selectionEnd] : null;
    const open = new Set(foldable().filter(({ node }) => node.open).map(({ key }) => key));
    document.title = fresh.title;
    for (const id of PARTS) document.getElementById(id).replaceWith(document.adoptNode(fresh.getElementById(id)));
    for (const details of foldable()) if (open.has(details.key)) details.node.open = true;
    document.dispatchEvent(new CustomEvent("picapweb:put")); // scripts look for what is theirs
    // Who works by keyboard goes on where they were
    const next = again && document.querySelector(again);
    const sentence = document.getElementById("sentence");
    if (sentence) sentence.tabIndex = -1;
    const goesOn = next || (before === document.body ? null : sentence);
    goesOn?.focus({ preventScroll: true });
    if (typing && next) next.setSelectionRange(...typing.map((at) => Math.min(at, next.value.length)));
  }

  // What the reader unfolded stays so, but for menus that were for this one choice.
  const foldable = () => [...document.querySelectorAll("main details:not(.pick), main details.choose")].map((node) => ({
    node,
    key: `${node.closest("section")?.querySelector("h3 a")?.textContent ?? ""} ${node.querySelector("summary").textContent}`,
  }));

  // A selector of the same thing in the next page.
  function placeOf(node) {
    if (!node || node === document.body) return "";
    if (node.id) return `#${CSS.escape(node.id)}`;
    const { field, value } = node.dataset ?? {};
    if (field && value !== undefined) return `${node.closest("aside") ? "aside " : ""}[data-field="${CSS.escape(field)}"][data-value="${CSS.escape(value)}"]`;
    return node.name ? `${node.nodeName}[name="${CSS.escape(node.name)}"]` : "";
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href]");
    if (!link || event.defaultPrevented || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    if (link.getAttribute("target") || link.hasAttribute("download")) return;
    const url = new URL(link.getAttribute("href"), location.href);
    if (!ours(url) || (url.hash && url.pathname === location.pathname)) return;
    event.preventDefault();
    const table = link.closest(".paging") ? document.querySelector(".table-tools") : null;
    go(url, { top: table ? table.getBoundingClientRect().top + scrollY - 120 : null });
  });

  document.addEventListener("submit", (event) => {
    const form = event.target;
    const url = new URL(form.action, location.href);
    if (event.defaultPrevented || form.method !== "get" || !ours(url)) return;
    event.preventDefault();
    const said = [...new FormData(form, event.submitter)].filter(([name, value]) => value || name === "column");
    url.search = new URLSearchParams(said).toString();
    go(url);
  });

  document.addEventListener("change", (event) => {
    if (event.target.matches?.("select[data-at-once]")) event.target.form.requestSubmit();
  });

  document.addEventListener("picapweb:go", (event) => {
    const url = new URL(event.detail.url);
    if (!ours(url)) return;
    event.preventDefault();
    go(url);
  });

  history.scrollRestoration = "manual";
  addEventListener("popstate", (event) => go(location.href, { push: false, top: event.state?.top ?? 0 }));
})();
