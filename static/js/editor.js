// Fields of code: textarea[data-editor="javascript|json|sql|graphql"]. The editor comes for the first one that is seen;
// a page without one loads nothing of it. The textarea keeps the value, and without scripts it is all there is.
const TOUCH_ONLY = "(pointer: coarse) and (not (any-pointer: fine))"; // where the system's own handles and keyboard serve better
const FIELDS = "textarea[data-editor]:not([data-mounted])";

const seen = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue;
    seen.unobserve(target);
    // What cannot be loaded leaves the field as it is.
    import("./editor/mount.js").then(({ mount }) => mount(target)).catch(() => {});
  }
}, { rootMargin: "200px" });

function look(part) {
  if (matchMedia(TOUCH_ONLY).matches) return;
  const fields = [...part.querySelectorAll(FIELDS)];
  if (part.matches?.(FIELDS)) fields.push(part);
  for (const field of fields) seen.observe(field);
}

look(document);
document.addEventListener("htmx:load", ({ target }) => look(target));
