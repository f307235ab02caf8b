// What is wrong with a text, as far as it can be seen without carrying it out: {row, column, text}, both from 0.
// What only the server finds stands beside the field, with its line and column in the sentence.

const MARK = /[{}[\]:,]|"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])|(?:true|false|null)\b/y;
const SPACE = /[ \t\r\n]*/y;
// In a template a placeholder stands for a value, or for a part of a text; \{{ is none. Elsewhere it is in texts only.
const PLACEHOLDER = /\\\{\{|\{\{[^{}\n]*\}\}/g;
const CLOSES = { "{": "}", "[": "]", "(": ")" };
const EXPECTED = {
  value: "A value is expected here.",
  first: "A value or ] is expected here.",
  name: "A name in double quotes is expected here.",
  firstName: "A name in double quotes or } is expected here.",
  colon: "A colon is expected here.",
  end: "Nothing may follow the value.",
  quoted: "A placeholder stands in double quotes here.",
};

// Where a text stops being JSON: {at, text}, or null. Browsers say it too, but not all of them where. `placeholders`: where
// they may stand, as "values" or within "texts".
export function jsonFault(written, placeholders) {
  const text = placeholders === "values" ? written.replace(PLACEHOLDER, (all) => "0".padEnd(all.length)) : written;
  const open = [];
  let expects = "value";
  const after = () => (open.length ? "next" : "end");
  for (let at = skip(text, 0); at < text.length; at = skip(text, MARK.lastIndex)) {
    MARK.lastIndex = at;
    const mark = MARK.exec(text)?.[0];
    if (!mark) return { at, text: unknown(text, at, expects) };
    if (placeholders === "texts" && mark === "{" && text[at + 1] === "{") return { at, text: EXPECTED.quoted };
    const box = open.at(-1)?.mark;
    if (expects === "value" || expects === "first") {
      if (mark in CLOSES) {
        open.push({ mark, at });
        expects = mark === "{" ? "firstName" : "first";
      } else if (expects === "first" && mark === "]") {
        open.pop();
        expects = after();
      } else if (/[\]},:]/.test(mark[0])) return { at, text: EXPECTED[expects] };
      else expects = after();
    } else if (expects === "name" || expects === "firstName") {
      if (mark[0] === '"') expects = "colon";
      else if (expects === "firstName" && mark === "}") {
        open.pop();
        expects = after();
      } else return { at, text: EXPECTED[expects] };
    } else if (expects === "colon" && mark === ":") expects = "value";
    else if (expects === "next" && mark === ",") expects = box === "{" ? "name" : "value";
    else if (expects === "next" && mark === CLOSES[box]) {
      open.pop();
      expects = after();
    } else return { at, text: EXPECTED[expects] ?? `A comma or ${CLOSES[box]} is expected here.` };
  }
  if (open.length) return { at: open.at(-1).at, text: `This ${open.at(-1).mark} is not closed.` };
  return expects === "end" || !text.trim() ? null : { at: text.length, text: EXPECTED[expects] };
}

function skip(text, at) {
  SPACE.lastIndex = at;
  SPACE.exec(text);
  return SPACE.lastIndex;
}

function unknown(text, at, expects) {
  if (text[at] === '"') return "This text is not closed, or has a line break or a wrong \\ in it.";
  if (text[at] === "'") return "Texts stand in double quotes.";
  return EXPECTED[expects] ?? "A comma or a bracket is expected here.";
}

// Brackets that do not match, and what the text ends in the middle of. Of what is a bracket and what a text, the colours know.
function bracketFault(session) {
  const open = [];
  for (let row = 0; row < session.getLength(); row += 1) {
    let column = 0;
    for (const { type, value } of session.getTokens(row)) {
      const marks = type.startsWith("paren.") ? value : "";
      for (let place = 0; place < marks.length; place += 1) {
        const mark = marks[place];
        const last = open.at(-1);
        if (mark in CLOSES) open.push({ mark, row, column: column + place });
        else if (!")]}".includes(mark)) continue;
        else if (last && CLOSES[last.mark] === mark) open.pop();
        else return { row, column: column + place, text: last ? `This ${mark} meets the ${last.mark} of line ${last.row + 1}.` : `This ${mark} closes nothing.` };
      }
      column += value.length;
    }
  }
  const unclosed = open.at(-1);
  if (unclosed) return { row: unclosed.row, column: unclosed.column, text: `This ${unclosed.mark} is not closed.` };
  const last = session.getLength() - 1;
  return /comment|text$|^dollars/.test(session.getState(last)) ? { row: last, column: session.getLine(last).length, text: "The text ends within a comment or a quoted text." } : null;
}

export function faultOf(language, session, placeholders) {
  if (language !== "json") return bracketFault(session);
  const fault = jsonFault(session.getValue(), placeholders);
  return fault && { ...session.doc.indexToPosition(fault.at), text: fault.text };
}

// Where the server says something of this field: beside it, or anywhere in an element whose [data-error-of] names it.
export function said(field) {
  const beside = (field.getAttribute("aria-describedby") ?? "").split(" ").map((id) => document.getElementById(id));
  return [...beside.filter((part) => part?.matches(".error")), ...document.querySelectorAll(`[data-error-of~="${CSS.escape(field.id)}"]`)];
}

// The first of these that names a line.
export function told(parts) {
  for (const part of parts) {
    const found = /\bline (\d+)(?:,? column (\d+))?/i.exec(part.textContent);
    if (found) return { row: found[1] - 1, column: (found[2] ?? 1) - 1, text: part.textContent.trim() };
  }
  return null;
}
