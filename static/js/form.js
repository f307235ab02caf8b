// A form with [data-guarded]: Ctrl+Enter saves it, and nobody leaves it by mistake once something was changed in it.
const form = document.querySelector("form[data-guarded]");
let sent = false;
let changed = form?.hasAttribute("data-changed") ?? false;

form?.addEventListener("input", () => { changed = true; });
form?.addEventListener("submit", (event) => {
  if (sent) event.preventDefault();
  sent = true;
  changed = false;
});
addEventListener("pageshow", () => { sent = false; });
addEventListener("beforeunload", (event) => { if (changed) event.preventDefault(); });

document.addEventListener("click", ({ target }) => { if (target.closest("[data-discard]")) changed = false; });
form?.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  form.requestSubmit(form.querySelector(".primary"));
});

// A search within the form finds as one types: Enter in it saves nothing. What is picked from it is a change.
form?.addEventListener("keydown", (event) => { if (event.key === "Enter" && event.target.matches("[type=search]")) event.preventDefault(); });
form?.addEventListener("click", ({ target }) => { if (target.closest("[data-picks]")) changed = true; });

// In any other form Ctrl+Enter presses the button that says so.
document.addEventListener("keydown", (event) => {
  const asked = event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.form;
  const button = asked && !asked.matches("[data-guarded]") && asked.querySelector('[aria-keyshortcuts="Control+Enter"]:enabled');
  if (!button) return;
  event.preventDefault();
  asked.requestSubmit(button);
});

// What an error offers goes into its field; and an error goes when its field is changed: it is judged anew when it is saved.
form?.addEventListener("click", (event) => {
  const offer = event.target.closest("[data-fill]");
  const field = offer && document.getElementById(offer.dataset.fill);
  if (!field) return;
  event.preventDefault();
  field.value = offer.textContent;
  field.focus();
  offer.closest(".error")?.remove();
  field.dispatchEvent(new Event("input", { bubbles: true }));
});
form?.addEventListener("input", ({ target }) => {
  if (!target.matches("[aria-invalid]")) return;
  target.removeAttribute("aria-invalid");
  for (const id of (target.getAttribute("aria-describedby") ?? "").split(" ")) document.getElementById(id)?.matches(".error") && document.getElementById(id).remove();
});

// How large a text is as it will be sent, and whether it looks like JSON while no header says what it is.
function measure(field) {
  const bytes = new TextEncoder().encode(field.value).length;
  const shown = form.querySelector(`[data-size-of="${field.id}"]`);
  shown.textContent = bytes < 1000 ? `${bytes} byte${bytes === 1 ? "" : "s"}` : bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} KB` : `${(bytes / 1e6).toFixed(1)} MB`;
  const names = [...form.querySelectorAll("[data-rows] li > input:first-child")].map((name) => name.value.trim().toLowerCase());
  form.querySelector(`[data-json-of="${field.id}"]`).hidden = names.includes("content-type") || !isJson(field.value.trim());
}

function isJson(text) {
  if (!/^[[{]/.test(text)) return false;
  try { JSON.parse(text); return true; } catch { return false; }
}

const body = form?.querySelector("[data-size-of]") && form.elements[form.querySelector("[data-size-of]").dataset.sizeOf];
if (body) form.addEventListener("input", ({ target }) => { if (target === body || target.closest("[data-rows]")) measure(body); });

// A part of the page that did not come says so.
for (const failed of ["htmx:responseError", "htmx:sendError"]) {
  form?.addEventListener(failed, ({ detail }) => {
    const said = document.createElement("p");
    said.className = "error";
    said.textContent = detail.xhr?.status ? `The server answered ${detail.xhr.status}. Nothing that you typed is lost: try again.` : "The server cannot be reached. Nothing that you typed is lost: try again.";
    detail.target.replaceChildren(said);
  });
}
