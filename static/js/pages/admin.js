// What Django's admin leaves unsaid to people who do not see: its signs, its lists to complete, its columns.

/** Signs that are pictures. */
function nameSigns() {
  for (const sign of document.querySelectorAll(".help-tooltip[aria-label]")) sign.setAttribute("role", "img");
}

/** Fields that complete names take the place of a list, and have its label. */
function nameCompletions() {
  for (const list of document.querySelectorAll("select.admin-autocomplete")) {
    const label = document.querySelector(`label[for="${list.id}"]`)?.textContent?.trim() ?? "";
    const parts = list.nextElementSibling?.querySelectorAll('[role="combobox"], [role="textbox"]') ?? [];
    for (const part of parts) part.setAttribute("aria-label", label);
  }
}

/** Ticks in a table have the name of their column; a column without one has no head. */
function nameColumns() {
  for (const table of document.querySelectorAll(".inline-group table")) {
    const heads = [...table.querySelectorAll("thead th")];
    const last = heads.at(-1)?.textContent?.trim() ?? "";
    for (const tick of table.querySelectorAll("td.delete input")) tick.setAttribute("aria-label", last);
    for (const head of heads) if (!head.textContent?.trim()) head.setAttribute("role", "cell");
  }
}

addEventListener("load", () => {
  nameSigns();
  nameCompletions();
  nameColumns();
});
