// The one script a page links, beside htmx. Without it every page works; with it, it works faster.
import "./theme.js";
import "./zone.js";
import "./ago.js";
import "./copy.js";
import "./pick.js";
import "./keys.js";
import "./live.js";
import "./question.js";
import "./rows.js";
import "./form.js";
import "./editor.js";
import "./passkey.js";
