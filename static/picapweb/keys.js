// "/" goes to the query; j and k go through packets, Enter opens one; Ctrl+Enter runs the console's query.
"use strict";
document.addEventListener("keydown", (event) => {
  const at = event.target;
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && at.matches && at.matches("textarea[data-submit]")) {
    at.form.requestSubmit();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || at.closest("input, textarea, select")) return;
  const q = document.getElementById("q");
  if (event.key === "/" && q) {
    event.preventDefault();
    q.focus();
    return;
  }
  if (event.key !== "j" && event.key !== "k") return;
  const links = [...document.querySelectorAll("table.packets a.to")];
  if (!links.length) {
    const other = document.querySelector(event.key === "j" ? "a[rel=next]" : "a[rel=prev]");
    if (other) other.click();
    return;
  }
  const now = links.indexOf(document.activeElement);
  const next = links[Math.max(0, Math.min(links.length - 1, event.key === "j" ? now + 1 : now - 1))];
  next.focus();
});
// The menu of jobs closes on Escape and on a click beside it.
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.pick[open]")) if (!menu.contains(event.target)) menu.open = false;
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details.pick[open]")) menu.open = false;
  // Out of the query, so that j and k go through its packets.
  if (event.target.id === "q" && event.target.matches("input") && !event.defaultPrevented) event.target.blur();
});
