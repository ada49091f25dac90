// What was asked in this browser, the last first: kept by the browser, where it keeps things. Without it the address has the query.
"use strict";
(() => {
  const KEY = "picapweb:asked", MOST = 30, LONGEST = 4000;
  const box = document.getElementById("history"), q = document.getElementById("q");
  if (!box || !q) return;

  function read() {
    try {
      const found = JSON.parse(localStorage.getItem(KEY) ?? "[]");
      return Array.isArray(found) ? found.filter((one) => typeof one?.q === "string") : [];
    } catch {
      return []; // it keeps nothing, or something else
    }
  }

  function write(all) {
    try {
      if (all.length) localStorage.setItem(KEY, JSON.stringify(all));
      else localStorage.removeItem(KEY);
    } catch {
      // then there is no history
    }
  }

  function entry({ q: text, index }) {
    const item = document.createElement("li"), link = document.createElement("a"), code = document.createElement("code");
    link.href = `/query/?${new URLSearchParams(index && index !== "net" ? { index, q: text } : { q: text })}`;
    link.title = text;
    code.textContent = text.replace(/\s+/g, " ");
    link.append(code);
    item.append(link);
    return item;
  }

  function show(all) {
    const none = document.createElement("li");
    none.className = "dim";
    none.textContent = "Nothing yet.";
    box.querySelector("ul").replaceChildren(...(all.length ? all.map(entry) : [none]));
    document.getElementById("forget").disabled = all.length === 0;
  }

  const text = q.defaultValue, index = document.getElementById("index")?.value ?? "net";
  let all = read();
  // A query that could not be read is not worth keeping
  if (text.trim() && text.length <= LONGEST && !q.matches("[aria-invalid=true]")) {
    all = [{ q: text, index }, ...all.filter((one) => one.q !== text || one.index !== index)].slice(0, MOST);
    write(all);
  }
  show(all);
  document.getElementById("forget").addEventListener("click", () => {
    write([]);
    show([]);
    q.focus();
  });
})();
