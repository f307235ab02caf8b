// What updates itself (hx-trigger="every …") stands still while the page is hidden, while "Live" is off, and while
// somebody has rows ticked, text marked, something open or is in a field of it: nothing changes under the hand.
// A link or button with an id keeps the keyboard while its part changes, and a box with an id how far it was scrolled.
let live = true;

document.addEventListener("click", ({ target }) => {
  const button = target.closest("[data-live]");
  if (!button) return;
  live = button.getAttribute("aria-pressed") === "false";
  button.setAttribute("aria-pressed", String(live));
});

const OPEN = "[type=checkbox]:checked, :popover-open, details[open]";
const IN_USE = ":focus-visible:not([id]), :is(input:not([type=checkbox]), select, textarea):focus";

// A poll changes nothing in a box with [data-still] while the pointer is in it, and there it is not read aloud either.
function isHeld(part) {
  if (part.closest("[data-still]")?.matches(":hover, :focus-within")) return true;
  if (part.querySelector(`${OPEN}, ${IN_USE}`)) return true;
  const marked = getSelection();
  return !marked.isCollapsed && marked.containsNode(part, true);
}

// A request that nobody's event set off is a poll's. One may be on its way when somebody ticks a row: its answer is dropped.
const isPoll = ({ elt, triggeringEvent }) => !triggeringEvent && elt.matches('[hx-trigger*="every "]');
const mayMove = (part) => !document.hidden && live && !isHeld(part);
// What it shows was deleted, or is no longer this reader's: the page says so, and asks no more.
document.addEventListener("htmx:responseError", ({ detail: { requestConfig, xhr } }) => {
  if (isPoll(requestConfig) && [403, 404].includes(xhr.status) && !requestConfig.elt.closest("form[data-guarded]")) location.reload();
});

let hadKeyboard = false;
let scrolled = [];

document.addEventListener("htmx:beforeRequest", (event) => {
  const { elt, requestConfig } = event.detail;
  if (isPoll(requestConfig) && !mayMove(elt)) event.preventDefault();
});
document.addEventListener("htmx:beforeSwap", (event) => {
  const { requestConfig, target } = event.detail;
  if (isPoll(requestConfig) && !mayMove(requestConfig.elt)) event.detail.shouldSwap = false;
  target.closest("[data-still] [aria-live]")?.setAttribute("aria-live", isPoll(requestConfig) ? "off" : "polite");
  hadKeyboard = target.contains(document.activeElement);
  scrolled = [...target.querySelectorAll("[id]")].filter((box) => box.scrollTop).map((box) => [box.id, box.scrollTop]);
});
document.addEventListener("htmx:afterSwap", ({ target: part }) => {
  for (const [id, top] of scrolled) document.getElementById(id)?.scrollTo(0, top);
  // What had the keyboard is gone: who goes on with Tab begins in this part, and not at the top of the page.
  if (!hadKeyboard || document.activeElement !== document.body) return;
  part.tabIndex = -1;
  part.focus({ preventScroll: true });
});
