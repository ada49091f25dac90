// Shows the order as a curl command while the form is filled in.
"use strict";
(() => {
  const form = document.getElementById("new-job");
  const shown = document.getElementById("curl");
  const quote = (text) => (/^[\w@%+=:,./-]+$/.test(text) ? text : "'" + text.replaceAll("'", "'\"'\"'") + "'");
  function curl() {
    const parts = ["curl"];
    const file = form.elements.file.files[0];
    const given = [...new FormData(form)].filter(([name, value]) => typeof value === "string" && value && name !== "csrfmiddlewaretoken");
    const source = given.some(([name]) => name === "iface" || name === "filename");
    if (file || !source) parts.push("-F", quote("file=@" + (file ? file.name : "capture.pcap")));
    for (const [name, value] of given) {
      const field = form.elements[name];
      if (field instanceof HTMLSelectElement && field.options[0].value === value) continue;
      parts.push("-F", quote(name + "=" + value));
    }
    parts.push(form.dataset.origin);
    shown.textContent = parts.join(" ");
  }
  form.addEventListener("input", curl);
  form.addEventListener("change", curl);
  curl();
})();
