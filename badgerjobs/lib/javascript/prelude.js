// Runs first in a new context, before any of a customer's code, and gives back [begin, finish]. What it uses afterwards it
// takes now: a body may replace every global and every method of a prototype. Nothing here goes by a prototype or assigns
// to an array later on: texts are joined in variables of this function, where no body reaches.
(() => {
  "use strict";
  const { parse, stringify } = JSON;
  const { apply } = Reflect;
  const { slice, toWellFormed } = String.prototype;
  const asText = String;
  const ErrorOfOurs = Error;
  const errorToString = Error.prototype.toString;
  const AsyncFunction = (async () => {}).constructor;
  const root = globalThis;

  // Memory that is not of V8's heap, and what shares or waits on it. Their constructors are reached by their names only,
  // and through instances, of which there are none.
  const gone = [
    "ArrayBuffer", "SharedArrayBuffer", "Atomics", "WebAssembly", "DataView",
    "Int8Array", "Uint8Array", "Uint8ClampedArray", "Int16Array", "Uint16Array", "Int32Array", "Uint32Array",
    "BigInt64Array", "BigUint64Array", "Float16Array", "Float32Array", "Float64Array",
    "WeakRef", "FinalizationRegistry",
  ];
  for (const name of gone) {
    if (!delete root[name]) throw new ErrorOfOurs(`${name} cannot be taken away`);
  }
  // mini-racer declares these: they cannot be deleted.
  for (const name of ["setTimeout", "clearTimeout", "__timer_manager"]) root[name] = undefined;

  const CONSOLE_LINES = 1000;
  const CONSOLE_LENGTH = 64 * 1024;
  const LINE_LENGTH = 4096;
  const MESSAGE_LENGTH = 2000;
  let lines = "";
  let count = 0;
  let length = 0;
  let dropped = 0;

  const cut = (text, most) => (text.length > most ? apply(slice, text, [0, most]) + "…" : text);
  const quoted = (text, most) => stringify(apply(toWellFormed, cut(text, most), []));

  // What a customer's value is as a text. It may run the customer's code: getters, toJSON, toString.
  function shown(value) {
    if (typeof value === "string") return value;
    try {
      if (value instanceof ErrorOfOurs) return asText(apply(errorToString, value, []));
      if (typeof value === "object" && value !== null) {
        const text = stringify(value);
        if (typeof text === "string") return text;
      }
      return asText(value);
    } catch {
      return "[cannot be shown]";
    }
  }

  function say(level, values) {
    if (count >= CONSOLE_LINES || length >= CONSOLE_LENGTH) {
      dropped += 1;
      return;
    }
    let text = "";
    for (let place = 0; place < values.length && text.length <= LINE_LENGTH; place += 1) {
      text += (place ? " " : "") + shown(values[place]);
    }
    text = quoted(text, LINE_LENGTH);
    lines += (count ? "," : "") + '["' + level + '",' + text + "]";
    count += 1;
    length += text.length;
  }

  root.console = {
    debug: (...values) => say("debug", values),
    log: (...values) => say("log", values),
    info: (...values) => say("info", values),
    warn: (...values) => say("warn", values),
    error: (...values) => say("error", values),
  };

  // One member of a thrown value, as a text; a getter may throw.
  function member(thrown, name) {
    try {
      const value = thrown[name];
      return typeof value === "string" ? value : "";
    } catch {
      return "";
    }
  }

  function refusal(word, thrown) {
    const isObject = (typeof thrown === "object" && thrown !== null) || typeof thrown === "function";
    const name = isObject ? member(thrown, "name") : "";
    const message = (isObject && member(thrown, "message")) || shown(thrown);
    const stack = isObject ? member(thrown, "stack") : "";
    return (
      '"error":{"word":"' + word + '","name":' + quoted(name, 200) + ',"message":' + quoted(message, MESSAGE_LENGTH) +
      ',"stack":' + quoted(stack, 8000) + "}"
    );
  }

  let state = "pending";
  let outcome;
  let most = 0;

  // Compiles the body and calls it, unless it is only to be compiled. Gives "" when it does not compile; what follows is for
  // `finish`, after all that the body left to be done (promises) is done.
  function begin(order) {
    const { names, body, values, output, compiles } = parse(order);
    let called;
    state = "pending";
    most = output;
    try {
      called = new AsyncFunction(names, body + "\n//# sourceURL=body.js");
    } catch (thrown) {
      outcome = thrown;
      state = "uncompiled";
      return "";
    }
    if (compiles) {
      outcome = null;
      state = "returned";
      return "compiled";
    }
    (async () => {
      try {
        outcome = await apply(called, undefined, parse(values));
        state = "returned";
      } catch (thrown) {
        outcome = thrown;
        state = "thrown";
      }
    })();
    return "called";
  }

  // Takes no argument: mini-racer would put it into an array, by ways that the body may have changed.
  function finish() {
    let said;
    if (state === "returned") said = serialised();
    else if (state === "uncompiled") said = refusal("syntax", outcome);
    else if (state === "thrown") said = refusal("thrown", outcome);
    else said = refusal("pending", "");
    return apply(toWellFormed, "{" + said + ',"console":[' + lines + '],"dropped":' + dropped + "}", []);
  }

  function serialised() {
    if (outcome === undefined) return refusal("nothing", "");
    if (typeof outcome === "string" && outcome.length > most) return refusal("output", "");
    let text;
    try {
      text = stringify(outcome);
    } catch (thrown) {
      return refusal("unserialisable", thrown);
    }
    if (typeof text !== "string") return refusal("unserialisable", `a ${typeof outcome} is not JSON`);
    if (text.length > most) return refusal("output", "");
    return '"value":' + text;
  }

  return [begin, finish];
})();
