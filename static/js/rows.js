// Rows of names and values: [data-add] copies a <template>'s row, its ✕ takes it away. Without scripts the server does both.
function number(list) {
  [...list.children].forEach((row, place) => {
    for (const field of row.querySelectorAll("[aria-label]")) field.ariaLabel = field.ariaLabel.replace(/\d+/, place + 1);
    const remove = row.querySelector("[value^=remove-]");
    remove.value = remove.value.replace(/\d+$/, place + 1);
    // What an error says stays with the field it says it of.
    const name = row.querySelector("input, select");
    if (!row.querySelector(".error")) name.id = name.id.replace(/\d+$/, place + 1);
  });
}

function changed(list) {
  list.dispatchEvent(new Event("input", { bubbles: true }));
}

document.addEventListener("click", (event) => {
  const add = event.target.closest("[data-add]");
  const remove = event.target.closest("[data-rows] [value^=remove-]");
  if (!add && !remove) return;
  event.preventDefault();
  const list = add ? add.form.querySelector(`[data-rows="${add.dataset.add}"]`) : remove.closest("[data-rows]");
  if (add) {
    const { name = "", value = "" } = add.dataset;
    const empty = [...list.children].find((row) => [...row.querySelectorAll("input")].every((field) => !field.value));
    const row = (name && empty) || document.querySelector(add.dataset.add).content.firstElementChild.cloneNode(true);
    list.append(row);
    const fields = row.querySelectorAll("input");
    [fields[0].value, fields[1].value] = [name, value];
    if (!name) row.querySelector("input, select").focus();
  } else {
    const row = remove.closest("li");
    const next = row.nextElementSibling ?? row.previousElementSibling;
    row.remove();
    (next?.querySelector("input, select") ?? list.parentElement.querySelector("[data-add]")).focus();
  }
  number(list);
  changed(list);
});
