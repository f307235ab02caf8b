// <button data-copy="#id"> copies that element's text, <button data-copy-text="…"> copies the text itself,
// <button data-copy="location"> the address of the page.
document.addEventListener("click", async ({ target }) => {
  const button = target.closest("[data-copy], [data-copy-text]");
  if (!button) return;
  const { copy, copyText } = button.dataset;
  await navigator.clipboard.writeText(copyText ?? (copy === "location" ? location.href : document.querySelector(copy).textContent.trim()));
  const label = button.textContent;
  button.dataset.copied = "";
  button.textContent = "Copied";
  setTimeout(() => { button.textContent = label; delete button.dataset.copied; }, 1500);
});
