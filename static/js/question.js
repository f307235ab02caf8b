// <a data-question href="…"> asks in a dialog what its address asks on a page of its own. Escape and the way back close
// it, and the browser gives the focus back to the link. An answer is sent as the form that it is.
const dialog = document.querySelector("#question");

async function ask(address) {
  const answer = await fetch(address, { headers: { "HX-Target": "question" } }).catch(() => null);
  // Whoever is signed out by now, or may not, reads why on the page itself.
  if (answer?.status !== 200 || answer.redirected) return location.assign(address);
  dialog.innerHTML = await answer.text();
  dialog.showModal();
}

document.addEventListener("click", (event) => {
  if (event.target.closest("#question [data-close]")) {
    event.preventDefault();
    dialog.close();
  }
  const link = event.target.closest("a[data-question]");
  if (!dialog || !link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  // What has the focus now gets it back: the link, or the button of the menu that it stands in.
  const menu = link.closest(":popover-open");
  if (menu) menu.hidePopover();
  else link.focus();
  ask(link.href);
});
// A page that "Back" brings again is shown as it was left: without the question.
addEventListener("pagehide", () => dialog?.close());
