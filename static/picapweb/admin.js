// Django's own widget of two lists makes signs with a name (aria-label) and without a role that could have one: they are pictures.
addEventListener("load", () => {
  // behind Django's own listener, which makes them
  setTimeout(() => {
    for (const sign of document.querySelectorAll(".help-tooltip[aria-label]:not([role])")) sign.setAttribute("role", "img");
  });
});
