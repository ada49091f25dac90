// The form of a new job, bettered: files can be dropped anywhere, several at a time, and show how far they are; what is wrong is said
// beside its option and nothing that was filled in is lost; the capture filter is checked while it is typed; the same order is
// shown as a curl command. Without this script it is a plain form.
"use strict";
(() => {
  const form = document.getElementById("new-job");
  const shown = document.getElementById("curl");
  const file = document.getElementById("file");
  const drop = document.getElementById("drop");
  const list = document.getElementById("uploads");
  const start = document.getElementById("start");
  const problem = document.getElementById("problem");
  const filter = form.elements.filter;
  const says = document.getElementById("filter-says");
  const panels = ["upload", "path", "interface"].map((name) => [document.getElementById("from-" + name), form.querySelector(".source." + name)]);
  const quote = (text) => (/^[\w@%+=:,./-]+$/.test(text) ? text : "'" + text.replaceAll("'", "'\"'\"'") + "'");
  const element = (name, words, kind) => Object.assign(document.createElement(name), { textContent: words || "", className: kind || "" });
  file.multiple = true;

  // Only what is of the chosen place is sent.
  function choose() {
    for (const [radio, panel] of panels) {
      for (const input of panel.querySelectorAll("input")) {
        if (!("was" in input.dataset)) input.dataset.was = input.disabled ? "off" : "";
        input.disabled = !radio.checked || input.dataset.was === "off";
      }
    }
    if (panels[2][0].checked) document.getElementById("live-options").open = true;
    curl();
    check();
  }

  // The order as a command.
  function curl() {
    const options = [];
    for (const [name, value] of new FormData(form)) {
      if (typeof value !== "string" || !value || name === "csrfmiddlewaretoken") continue;
      const field = form.elements[name];
      if (field instanceof HTMLSelectElement && field.options[0].value === value) continue;
      options.push("-F", quote(name + "=" + value));
    }
    if (panels[1][0].checked && !form.elements.filename.value) options.unshift("-F", "filename=capture.pcap");
    if (panels[2][0].checked && !form.querySelector("[name=iface]:checked")) options.unshift("-F", "iface=eth0");
    const files = panels[0][0].checked ? [...file.files].map((one) => one.name) : [];
    const each = panels[0][0].checked ? (files.length ? files : ["capture.pcap"]).map((name) => ["-F", quote("file=@" + name)]) : [[]];
    shown.textContent = each.map((one) => ["curl", ...one, ...options, form.dataset.origin].join(" ")).join("\n");
  }

  // The capture filter. Answers that come late, of a text that is not there any more, are not shown.
  let timer = 0;
  let asked = 0;
  async function ask() {
    const text = filter.value;
    const mine = ++asked;
    if (!text.trim()) return say("", "");
    const query = new URLSearchParams({ filter: text, live: panels[2][0].checked ? "1" : "0" });
    try {
      const answer = await fetch(form.dataset.check + "?" + query, { headers: { Accept: "application/json" } });
      if (!answer.ok || mine !== asked) return;
      const said = await answer.json();
      const names = said.names.length ? "; looked up when the job is made: " + said.names.join(", ") : "";
      if (said.ok) return say(said.detail || "This is a capture filter" + names, "good");
      if (said.position === null) return say(said.detail, "bad");
      const word = text.slice(said.position).match(/^\S*/)[0];
      say(said.detail + (word ? ", at: " : ", at its end: something is missing"), "bad", word);
    } catch {
      say("", ""); // no answer: the job's own check says it
    }
  }
  function say(words, kind, word) {
    says.textContent = words;
    says.className = "says " + kind;
    if (word) says.append(element("mark", word));
    filter.toggleAttribute("aria-invalid", false);
    if (kind === "bad") filter.setAttribute("aria-invalid", "true");
  }
  function check() {
    clearTimeout(timer);
    timer = setTimeout(ask, 300);
  }

  // Uploads, one behind the other.
  function upload(one, item) {
    return new Promise((done) => {
      const body = new FormData(form);
      body.delete("file");
      body.append("file", one);
      const sent = new XMLHttpRequest();
      sent.open("POST", form.action);
      sent.setRequestHeader("Accept", "application/json");
      const token = form.elements.csrfmiddlewaretoken;
      if (token) sent.setRequestHeader("X-CSRFToken", token.value);
      sent.upload.addEventListener("progress", (event) => {
        if (!event.lengthComputable) return;
        item.bar.value = event.loaded / event.total;
        item.is.textContent = event.loaded < event.total ? Math.floor((100 * event.loaded) / event.total) + " %" : "is being looked at";
      });
      sent.addEventListener("load", () => {
        let said = {};
        try {
          said = JSON.parse(sent.responseText);
        } catch {
          said = { detail: sent.status + " " + sent.statusText };
        }
        done([sent.status, said]);
      });
      sent.addEventListener("error", () => done([0, { detail: "the upload broke off: the server does not answer" }]));
      sent.send(body);
    });
  }

  function line(one) {
    const item = { row: element("li"), bar: element("progress"), is: element("span", "waits", "is") };
    item.bar.max = 1;
    item.bar.value = 0;
    item.bar.setAttribute("aria-label", "sent of " + one.name);
    item.row.append(element("span", one.name, "name"), item.bar, item.is);
    list.append(item.row);
    return item;
  }

  function link(item, words, job) {
    item.is.textContent = words;
    const to = element("a", "job " + job.id);
    to.href = job.url || "/jobs/" + job.id + "/";
    item.is.append(to);
  }

  function wrong(detail, option) {
    problem.textContent = detail;
    for (const field of form.querySelectorAll("[data-bad]")) {
      field.removeAttribute("aria-invalid");
      delete field.dataset.bad;
    }
    const field = option && form.elements[option];
    if (!(field instanceof HTMLElement) || field.type === "file") return;
    field.closest("details")?.setAttribute("open", "");
    field.dataset.bad = "";
    field.setAttribute("aria-invalid", "true");
    field.focus();
  }

  async function send(event) {
    if (!panels[0][0].checked || !file.files.length) return;
    event.preventDefault();
    const files = [...file.files];
    list.replaceChildren();
    wrong("");
    start.disabled = true;
    const items = files.map(line);
    let job = null;
    let bad = 0;
    for (const [at, one] of files.entries()) {
      const item = items[at];
      if (one.size > Number(form.dataset.largest)) {
        item.is.textContent = "is larger than the server takes";
        item.is.classList.add("bad");
        bad++;
        continue;
      }
      item.is.textContent = "0 %";
      const [status, said] = await upload(one, item);
      if (status === 202) {
        item.bar.value = 1;
        job = said;
        link(item, "is ", said);
      } else {
        bad++;
        item.is.classList.add("bad");
        if (status === 409 && said.job) document.getElementById("more-options").open = true;
        if (status === 409 && said.job) link(item, "is known already (tick “Again” to index it again): ", said.job);
        else item.is.textContent = said.detail || "was refused: " + status;
        if (said.option && status !== 409) {
          wrong(said.detail, said.option);
          for (const other of items.slice(at + 1)) other.is.textContent = "not sent";
          break;
        }
      }
    }
    start.disabled = false;
    if (job && files.length === 1 && !bad) location.href = job.url;
  }

  // Dropping anywhere on the page is dropping them here.
  const holdsFiles = (event) => [...event.dataTransfer.types].includes("Files");
  document.addEventListener("dragover", (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    drop.classList.add("over");
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) drop.classList.remove("over");
  });
  document.addEventListener("drop", (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    drop.classList.remove("over");
    panels[0][0].checked = true;
    choose();
    file.files = event.dataTransfer.files;
    curl();
    start.focus();
  });

  form.addEventListener("submit", send);
  form.addEventListener("input", curl);
  form.addEventListener("change", curl);
  filter.addEventListener("input", check);
  for (const [radio] of panels) radio.addEventListener("change", choose);
  choose();
})();
