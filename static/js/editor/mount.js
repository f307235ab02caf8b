// Ace in the place of a textarea. The textarea lies beneath it and stays the field: it has the name, the value, the
// checks and the errors, and what happens in the editor happens to it ("input", "change").
import { faultOf, said, told } from "./faults.js";
import { knows, modeOf } from "./modes.js";

const ACE = new URL("../../ace-builds", import.meta.url).href;
const LOOKS = new URL("../../css/ace.css", import.meta.url).href;
const MOST_LINES = 32;
// So long after the last key something is said to be wrong, in milliseconds: not in the middle of a word.
const PAUSE_MS = 500;
const LARGEST_CHECKED = 300_000;
// These ask for more files, or take a key from the browser that it has a better use for.
const AWAY = ["showSettingsMenu", "openCommandPallete", "goToNextError", "goToPreviousError", "gotoline", "find", "findnext", "findprevious", "replace", "togglerecording", "replaymacro", "jumptomatching", "selecttomatching", "expandToMatching", "toggleFoldWidget", "toggleParentFoldWidget"];
const LEAVE = "Tab indents. Esc, then Tab leaves the field.";

let loaded;
const mounted = new Set();

// Ace's files are our own origin's, it adds no style of its own to the page, and it starts no worker.
function load() {
  loaded ??= Promise.all([put("link", { rel: "stylesheet", href: LOOKS }), put("script", { src: `${ACE}/ace.js` })]).then(() => {
    const { ace } = window;
    ace.config.set("basePath", ACE);
    ace.config.set("useStrictCSP", true);
    ace.config.set("loadWorkerFromBlob", false);
    return ace;
  });
  return loaded;
}

function put(tag, attributes) {
  return new Promise((come, fail) => {
    const element = Object.assign(document.createElement(tag), attributes);
    element.addEventListener("load", come);
    element.addEventListener("error", fail);
    document.head.append(element);
  });
}

export async function mount(field) {
  const language = field.dataset.editor;
  if (!knows(language) || "mounted" in field.dataset) return;
  field.dataset.mounted = "";
  let ace, mode, plain;
  try {
    ace = await load();
    mode = await modeOf(ace, language);
    // A field with [data-guess] may hold anything: it is read as JSON while it begins as JSON does.
    plain = "guess" in field.dataset ? await modeOf(ace, "text") : null;
  } catch (error) {
    delete field.dataset.mounted;
    throw error;
  }
  if (field.isConnected) begin(ace, { mode, plain }, field, language);
}

function begin(ace, { mode, plain }, field, language) {
  const had = document.activeElement === field;
  const rows = Math.max(Math.min(Math.floor((field.offsetHeight - 10) / 20), MOST_LINES), field.rows > 2 ? field.rows : 2);
  const { box, status } = around(field);
  const editor = ace.edit(box, {
    value: field.value, theme: { cssClass: "ace-badger", cssText: "", isDark: false }, useWorker: false, useSoftTabs: true, tabSize: 2,
    minLines: rows, maxLines: Math.max(rows, MOST_LINES), showPrintMargin: false, showFoldWidgets: false, highlightGutterLine: false, fixedWidthGutter: true,
    placeholder: field.placeholder, readOnly: field.readOnly || field.disabled, scrollPastEnd: 0, newLineMode: "unix",
    behavioursEnabled: false, wrapBehavioursEnabled: false, // a pair that is closed by itself is too much within a template or a pattern
  });
  editor.commands.removeCommands(AWAY);
  editor.setHighlightActiveLine(false);
  editor.renderer.setScrollMargin(5, 5);
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) editor.renderer.$cursorLayer.setBlinking(false);
  const one = { field, language, mode, plain, editor, box, status, input: editor.textInput.getElement(), mark: null, timer: 0, isAsked: false, refused: "", over: new WeakSet() };
  name(one);
  share(one);
  keepInStep(one);
  letLeave(one);
  showWhole(one);
  mounted.add(one);
  check(one);
  if (had) takeOver(one);
}

// The field and the editor in one place, and one line below for what is wrong: nothing moves when something is.
function around(field) {
  const place = document.createElement("div");
  place.className = "code-field";
  field.before(place);
  const box = document.createElement("div");
  box.className = "editor";
  const status = document.createElement("p");
  status.className = "hint";
  status.id = `${field.id}_status`;
  status.setAttribute("role", "status");
  place.append(field, box, status);
  return { box, status };
}

// The field's labels are the editor's; the field itself is nobody's any more.
function name({ field, input }) {
  const labels = [...field.labels];
  input.id = `${field.id}_editor`;
  for (const [number, label] of labels.entries()) {
    label.id ||= `${field.id}_label${number || ""}`;
    if (label.htmlFor) label.htmlFor = input.id;
  }
  if (labels.length) input.setAttribute("aria-labelledby", labels.map(({ id }) => id).join(" "));
  else if (field.getAttribute("aria-labelledby")) input.setAttribute("aria-labelledby", field.getAttribute("aria-labelledby"));
  else input.setAttribute("aria-label", field.getAttribute("aria-label") ?? field.name);
  input.setAttribute("aria-multiline", "true");
  field.tabIndex = -1;
  field.setAttribute("aria-hidden", "true");
}

// What the field says of itself holds for the editor, also when it changes: its error, and whether it may be changed.
function share(one) {
  const { field, editor, input, status } = one;
  const tell = () => {
    const isWrong = field.getAttribute("aria-invalid") === "true" || one.mark !== null || one.refused !== "";
    if (isWrong) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
    input.setAttribute("aria-describedby", [field.getAttribute("aria-describedby"), status.id].filter(Boolean).join(" "));
    if (field.required) input.setAttribute("aria-required", "true");
    editor.setReadOnly(field.readOnly || field.disabled);
  };
  one.tell = tell;
  tell();
  new MutationObserver(tell).observe(field, { attributeFilter: ["aria-invalid", "aria-describedby", "required", "readonly", "disabled"] });
}

function keepInStep(one) {
  const { field, editor, input, box } = one;
  let begun = field.value;
  const changed = () => {
    if (editor.getValue() === field.value) return;
    field.value = editor.getValue();
    field.dispatchEvent(new Event("input", { bubbles: true }));
    later(one);
  };
  editor.session.on("change", () => { if (!one.isAsked) queueMicrotask(changed); });
  // Somebody else wrote into the field, or emptied its form.
  const asked = () => {
    if (editor.getValue() === field.value) return;
    one.isAsked = true;
    editor.session.setValue(field.value);
    one.isAsked = false;
    later(one);
  };
  field.addEventListener("input", asked);
  field.form?.addEventListener("reset", () => setTimeout(asked));
  field.addEventListener("focus", () => takeOver(one));
  field.addEventListener("invalid", (event) => {
    event.preventDefault();
    one.refused = field.validationMessage;
    one.tell();
    rest(one);
    if (field.form?.querySelector(":invalid:not(fieldset)") === field) editor.focus();
  });
  // Ace's own field is no field of the page.
  for (const kind of ["input", "change"]) input.addEventListener(kind, (event) => event.stopPropagation());
  editor.on("focus", () => { begun = field.value; });
  editor.on("blur", () => { if (begun !== field.value) field.dispatchEvent(new Event("change", { bubbles: true })); });
  new ResizeObserver(() => editor.resize()).observe(box);
}

// Who asks for the field gets the editor, with what is selected in it.
function takeOver({ field, editor }) {
  const place = (at) => editor.session.doc.indexToPosition(at);
  const [start, end] = [place(field.selectionStart), place(field.selectionEnd)];
  editor.focus();
  editor.selection.setRange({ start, end });
}

function letLeave(one) {
  const { box, editor } = one;
  let leaving = false;
  // Before Ace: a Tab that leaves is the browser's.
  box.addEventListener("keydown", (event) => {
    if (event.key === "Tab" && (leaving || editor.getReadOnly())) event.stopImmediatePropagation();
    else if (event.key !== "Shift") leaving = event.key === "Escape";
    if (event.key === "Escape") say(one, "Tab leaves the field now.");
  }, true);
  editor.on("focus", () => {
    leaving = false;
    rest(one);
  });
  editor.on("blur", () => queueMicrotask(() => rest(one)));
}

// While it has the keyboard Ace's own field holds a line or two. Without it, it holds the whole text, for who reads the
// page by other means, and for programs that select all of it and write.
function showWhole(one) {
  const { editor, input, box } = one;
  let line = null;
  one.whole = () => {
    if (editor.isFocused()) return;
    line ??= input.value;
    input.value = editor.getValue();
  };
  one.whole();
  editor.on("blur", () => queueMicrotask(one.whole)); // Ace says so just before it is so
  box.addEventListener("focus", () => {
    if (line === null) return;
    const isAll = input.value !== "" && input.selectionEnd - input.selectionStart === input.value.length;
    input.value = line;
    line = null;
    if (isAll) queueMicrotask(() => editor.selectAll());
  }, true);
}

function later(one) {
  // What was said of the text before holds no more.
  one.refused = "";
  for (const part of said(one.field)) one.over.add(part);
  clearTimeout(one.timer);
  unmark(one);
  rest(one);
  one.whole();
  one.timer = setTimeout(() => check(one), PAUSE_MS);
}

// Marks what is wrong: what the server said as long as nothing was changed since, or else what can be seen.
function check(one) {
  if (!one.box.isConnected) return;
  unmark(one);
  const { field, editor, language, over } = one;
  const text = field.value;
  const isOther = one.plain !== null && !/^\s*[[{]/.test(text);
  read(one, isOther ? one.plain : one.mode);
  const toldOf = told(said(field).filter((part) => !over.has(part)));
  const fault = toldOf ?? (isOther || text.length > LARGEST_CHECKED ? null : faultOf(language, editor.session, field.dataset.placeholders));
  if (fault) mark(one, fault, toldOf !== null);
  rest(one);
}

function read({ editor }, mode) {
  if (editor.session.getMode() !== mode) editor.session.setMode(mode);
}

function mark(one, fault, isTold) {
  const { session } = one.editor;
  const row = Math.min(fault.row, session.getLength() - 1);
  const line = session.getLine(row);
  const column = Math.max(Math.min(fault.column, line.length - 1), 0);
  const range = session.getWordRange(row, column);
  range.setStart(row, Math.min(column, range.end.column));
  if (range.isEmpty()) range.setEnd(row, column + 1);
  one.mark = { id: session.addMarker(range, "fault", "text"), sentence: isTold ? "" : `Line ${fault.row + 1}, column ${fault.column + 1}: ${fault.text}` };
  session.setAnnotations([{ row, column, text: fault.text, type: "error" }]);
  one.tell();
}

function unmark(one) {
  if (one.mark) {
    one.editor.session.removeMarker(one.mark.id);
    one.editor.session.clearAnnotations();
  }
  one.mark = null;
  one.tell();
}

function say({ status }, sentence, isWrong = false) {
  status.classList.toggle("wrong", isWrong);
  if (status.textContent !== sentence) status.textContent = sentence;
}

// What stands below when nothing else is to be said: what is wrong, or how one gets away.
function rest(one) {
  const wrong = one.refused || one.mark?.sentence;
  if (wrong) say(one, wrong, true);
  else say(one, one.editor.isFocused() ? LEAVE : "");
}

document.addEventListener("htmx:afterSettle", () => {
  for (const one of mounted) if (one.box.isConnected) check(one);
});
document.addEventListener("htmx:beforeCleanupElement", ({ target }) => {
  for (const one of mounted) {
    if (!target.contains(one.box)) continue;
    clearTimeout(one.timer);
    one.editor.destroy();
    mounted.delete(one);
  }
});
