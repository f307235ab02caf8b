// "All on this page" ticks every row; the count is CSS's, and is said aloud here. Lists come and go as htmx swaps them.
document.addEventListener("change", ({ target }) => {
  const list = target.closest(".bulk-list");
  if (!list || !target.matches(":is(thead, tbody) [type=checkbox]")) return;
  const all = list.querySelector("thead [type=checkbox]");
  const rows = [...list.querySelectorAll("tbody [type=checkbox]")];
  if (target === all) for (const row of rows) row.checked = all.checked;

  const count = rows.filter((row) => row.checked).length;
  if (all) {
    all.checked = count === rows.length;
    all.indeterminate = count > 0 && !all.checked;
  }
  const said = list.querySelector("[role=status]");
  if (said) said.textContent = `${count} selected`;
});
