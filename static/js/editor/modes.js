// How each language is read. JavaScript and JSON are Ace's; its GraphQL knows schemas and no queries, and its SQL no
// text over more than one line: these two are ours.
const SQL_WORDS = `all and any as asc begin between by case cast coalesce commit conflict cross current_date current_timestamp default delete desc distinct
do else end except exists false fetch filter first following for from full group having ilike in inner insert intersect interval into is join last lateral
left like limit not nothing null nulls offset on or order outer over partition preceding range returning right rollback row rows select set similar
then true unbounded union update using values when where window with within`;
const GRAPHQL_WORDS = "query mutation subscription fragment on true false null";

const words = (list) => list.split(/\s+/).join("|");

// Between $a$ and $a$ everything is a text, also $b$: what began it lies on the stack, below the name of the state.
const DOLLARS = {
  begin: { regex: "\\$(?:[a-zA-Z_]\\w*)?\\$", next: "dollars", onMatch(mark, _, stack) {
    stack.unshift("dollars", mark);
    return "string";
  } },
  within: { regex: "\\$\\w*(?=\\$)", next: (_, stack) => stack[0], onMatch(mark, _, stack) {
    if (`${mark}$` === stack[1]) stack[0] = "dollars.end";
    return "string";
  } },
  end: { regex: "\\$", next: "start", onMatch(_mark, _, stack) {
    stack.splice(0, 2);
    return "string";
  } },
};

const sql = () => ({
  start: [
    { token: "comment", regex: "--.*$" },
    { token: "comment", regex: "/\\*", next: "comment" },
    { token: "string", regex: "\\b[eE]'", next: "escaped.text" },
    { token: "string", regex: "'", next: "text" },
    { ...DOLLARS.begin },
    { token: "variable", regex: '"(?:[^"]|"")*"' },
    { token: "variable.placeholder", regex: "\\{\\{[^{}]*\\}\\}|%\\(\\w+\\)s" },
    { token: "constant.numeric", regex: "\\b\\d+(?:\\.\\d+)?(?:e[+-]?\\d+)?\\b", caseInsensitive: true },
    { token: "keyword", regex: `\\b(?:${words(SQL_WORDS)})\\b`, caseInsensitive: true },
    { token: "paren.lparen", regex: "[(\\[]" },
    { token: "paren.rparen", regex: "[)\\]]" },
    { token: "identifier", regex: "[a-zA-Z_$][\\w$]*" },
  ],
  comment: [{ token: "comment", regex: "\\*/", next: "start" }, { defaultToken: "comment" }],
  text: [{ token: "string", regex: "''" }, { token: "string", regex: "'", next: "start" }, { defaultToken: "string" }],
  "escaped.text": [{ token: "string", regex: "\\\\.|''" }, { token: "string", regex: "'", next: "start" }, { defaultToken: "string" }],
  dollars: [{ ...DOLLARS.within }, { defaultToken: "string" }],
  "dollars.end": [{ ...DOLLARS.end }],
});

const graphql = () => ({
  start: [
    { token: "comment", regex: "#.*$" },
    { token: "string", regex: '"""', next: "text" },
    { token: "string", regex: '"(?:[^"\\\\]|\\\\.)*"?' },
    { token: "variable", regex: "\\$\\w+" },
    { token: "keyword", regex: `(?:${words(GRAPHQL_WORDS)})\\b|\\.\\.\\.|@\\w+` },
    { token: "constant.numeric", regex: "-?\\b\\d+(?:\\.\\d+)?(?:[eE][+-]?\\d+)?\\b" },
    { token: "paren.lparen", regex: "[({\\[]" },
    { token: "paren.rparen", regex: "[)}\\]]" },
    { token: "identifier", regex: "[a-zA-Z_]\\w*" },
  ],
  text: [{ token: "string", regex: '\\\\"""' }, { token: "string", regex: '"""', next: "start" }, { defaultToken: "string" }],
});

function ours(ace, rules, comment) {
  const { TextHighlightRules } = ace.require("ace/mode/text_highlight_rules");
  const { Mode } = ace.require("ace/mode/text");
  const mode = new Mode();
  mode.HighlightRules = class extends TextHighlightRules {
    constructor() {
      super();
      this.$rules = rules();
      this.normalizeRules();
    }
  };
  mode.lineCommentStart = comment;
  return mode;
}

const theirs = (ace, name) => new Promise((come, fail) => {
  ace.config.loadModule(["mode", `ace/mode/${name}`], (found) => (found ? come(new found.Mode()) : fail(new Error(name))));
});

const MODES = {
  async javascript(ace) {
    const mode = await theirs(ace, "javascript");
    mode.$highlightRuleConfig = { jsx: false }; // `a < b` begins no element
    return mode;
  },
  json: (ace) => theirs(ace, "json"),
  sql: (ace) => ours(ace, sql, "--"),
  graphql: (ace) => ours(ace, graphql, "#"),
  text: (ace) => new (ace.require("ace/mode/text").Mode)(),
};

export const knows = (language) => Object.hasOwn(MODES, language);
export const modeOf = async (ace, language) => MODES[language](ace);
