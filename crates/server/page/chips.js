// The conditions of a search: those that were chosen, and those that were read from the question.

import { LISTS } from "./address.js";
import { make, show } from "./dom.js";

const NAMES = { ns: "namespace", kind: "kind", cluster: "cluster", label: "label" };
const LIST_OF = { namespace: "ns", kind: "kind", cluster: "cluster", label: "label" };
// What may stand before a name in a question, and behind it.
const BEFORE = "(?:(?:in|on|from|inside|within|under|of|by|for|with|label|labels|team|namespace|ns|cluster|clusters|the|and|or)\\s+)*";
const BEHIND = "(?:\\s+(?:namespace|ns|team|cluster))?";

// The question without the words that say a condition; the question itself where they are not found.
export function without(question, type, value) {
  const plural = value.split(".")[0];
  const words = type === "kind"
    ? [value, plural, plural.replace(/ies$/, "y"), plural.replace(/(s|x|z|ch|sh)es$/, "$1"), plural.replace(/s$/, "")]
    : type === "label" ? [value, value.split("=").pop()] : [value];
  const before = type === "kind" ? "(?:(?:which|the|all)\\s+)*" : BEFORE;
  for (const word of words) {
    const escaped = word.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
    const found = new RegExp(`(?<![\\w.=/-])${before}${escaped}${type === "kind" ? "" : BEHIND}(?![\\w=/-])`, "iu");
    if (found.test(question)) {
      return question.replace(found, " ").replace(/\s+/g, " ").trim();
    }
  }
  return question;
}

// Draws them. `notes` are those of the last reply; `go` takes what changes.
export function drawChips(parent, state, notes, go) {
  const chip = (list, value, extra, remove) => {
    const name = NAMES[list];
    const close = remove && make("button", { type: "button", "aria-label": `Remove ${name} ${value}`, onclick: remove }, "×");
    return make("span", { class: `chip ${extra}`, title: extra ? "Read from the question" : undefined }, make("span", { class: "of" }, name), make("span", { class: "value" }, value), close);
  };
  const chosen = LISTS.flatMap((list) =>
    state[list].map((value) => chip(list, value, "", () => go({ [list]: state[list].filter((other) => other !== value) }))));
  const read = notes.flatMap((note) => (note.values ?? []).map((value) => {
    const list = LIST_OF[note.type];
    const rest = without(state.q, note.type, value);
    const isThere = !list || state[list].includes(value);
    return !isThere && chip(list, value, "read", rest === state.q ? undefined : () => go({ q: rest }));
  }));
  const clear = chosen.length > 1 && make("button", { type: "button", class: "quiet", onclick: () => go(Object.fromEntries(LISTS.map((list) => [list, []]))) }, "Clear filters");
  show(parent, chosen, read, clear);
}
