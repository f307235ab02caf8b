// System, light or dark. The choice is a cookie, so the server can write data-theme before the first paint.
const root = document.documentElement;

document.addEventListener("submit", (event) => {
  const form = event.target.closest("#theme");
  if (!form) return;
  event.preventDefault();
  const theme = event.submitter.value;
  document.cookie = `theme=${theme}; path=/; max-age=31536000; samesite=lax`;
  if (theme === "system") delete root.dataset.theme;
  else root.dataset.theme = theme;
  for (const button of form.elements) button.setAttribute("aria-pressed", button.value === theme);
});
