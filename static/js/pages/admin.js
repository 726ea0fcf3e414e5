// What Django's admin leaves unsaid to people who do not see: its signs are pictures.

addEventListener("load", () => {
  for (const sign of document.querySelectorAll(".help-tooltip[aria-label]")) sign.setAttribute("role", "img");
});
