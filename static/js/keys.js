// One key, one press: aria-keyshortcuts on a link, button or field says which. "g o" is g, then o within a second.
let first = "";
let pressed = 0;

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");
  // A key that is held down is one press, and what a question covers is not to be pressed.
  if (typing || event.repeat || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  const keys = first === "g" && event.timeStamp - pressed < 1000 ? `g ${event.key}` : event.key;
  [first, pressed] = [event.key, event.timeStamp];
  const target = document.querySelector(`[aria-keyshortcuts="${CSS.escape(keys)}"]`);
  if (!target) return;
  event.preventDefault();
  if (target.matches("input:not([type=checkbox]), select")) target.focus();
  else target.click();
});
