// What a reply says about itself, in plain words: how the question was read, what nobody looked at, why nothing fits.

import { LISTS, asks, write } from "./address.js";
import { command } from "./copy.js";
import { make, show } from "./dom.js";
import { many } from "./words.js";

// Letters of a word that may be asked for alone, and how many of them are told.
const SHORT = 4;
const WORDS = 5;

// Notes on what the question wants done with the hits, which fit in one line.
const CLAUSES = ["counted", "grouped", "ordered", "created", "preferred", "unwanted", "named", "similarTo", "corrected"];
// Notes on why the answer may not hold.
const DOUBTS = ["old", "madeInClusters", "otherCluster", "unchecked"];

const line = (tone, ...inside) => make("div", { class: `told ${tone}` }, ...inside);

// Notes, needs and doubts. What became a chip is not told again.
export function drawTold(parent, reply) {
  const plain = reply.notes.filter((note) => CLAUSES.includes(note.type));
  const read = plain.length > 0 && make("p", { class: "read-as" }, `Read as ${plain.map((note) => note.text.replace(/^asked: /, "").replaceAll("T00:00:00Z", "")).join(", ")}`);
  const others = reply.notes.filter((note) => !note.values && !plain.includes(note));
  const notes = others.map((note) => line(DOUBTS.includes(note.type) ? "warn" : "", make("p", {}, `${sentence(note.text)}${note.remedy ? ` ${sentence(note.remedy)}` : ""}`)));
  const needs = reply.needs.map((need) => (need.read
    ? line("", make("p", {}, `Looked at the cluster for “${need.said}”.`))
    : line("warn", make("p", {}, `“${need.said}” is not in the index, which holds metadata only, and the cluster was not asked. It knows:`), (need.commands ?? []).map(command))));
  const unread = (reply.unread ?? []).map((text) => line("warn", make("p", {}, `Not read from the cluster: ${text}.`)));
  const unindexed = (reply.unindexed ?? []).length > 0
    && line("", make("p", {}, `The cluster has ${many(reply.unindexed.length, "object")} that the index does not hold yet: ${reply.unindexed.map((one) => `${one.namespace}/${one.name}`).join(", ")}.`));
  show(parent, read, notes, needs, unread, unindexed);
}

// Why nothing fits, and what to try instead.
export function drawNothing(parent, reply, state) {
  if (reply.hits.length > 0) {
    show(parent);
    return;
  }
  const problems = reply.problems.map((problem) => make("p", {}, sentence(problem.text)));
  const link = (text, change) => make("li", {}, make("a", { href: write({ ...state, open: "", ...change }), "data-go": true }, text));
  const filtered = LISTS.some((list) => state[list].length > 0);
  const isEmpty = reply.inScope === 0;
  // Short words rarely ask for anything.
  const words = [...new Set(state.q.split(/\s+/u).filter((word) => word.length >= SHORT))].slice(0, WORDS);
  const everywhere = Object.fromEntries(LISTS.map((list) => [list, []]));
  const suggestions = [
    ...(isEmpty ? [] : reply.closest).map((type) => link(`All ${type}, the nearest resource type`, { q: "", kind: [type] })),
    filtered && state.q && link("The same without filters", everywhere),
    !isEmpty && filtered && state.q && link("Everything under these filters", { q: "" }),
    words.length > 1 && make("li", {}, "One of its words: ", words.map((word, at) => [at > 0 && ", ", make("a", { href: write({ ...state, open: "", q: word }), "data-go": true }, word)])),
    asks(state) && state.q && link("Ask it as a question, answered in sentences", { view: "ask" }),
    !state.q && link("The overview of all there is", everywhere),
  ].filter((suggestion) => suggestion);
  show(parent, make("div", { class: "nothing" },
    make("h2", {}, "Nothing fits"),
    problems.length > 0 ? problems : make("p", {}, isEmpty ? `There is no object${filtered ? " under these filters" : ""}.` : `None of ${many(reply.inScope, "object")} ${filtered ? "under these filters " : ""}is what the question asks for.`),
    make("p", {}, "Try:"),
    make("ul", {}, suggestions)));
}

// Why there is no answer at all.
export function drawRefused(parent, error, again) {
  const passing = error.status === 503 && " The page tries it again by itself.";
  show(parent, line([400, 503].includes(error.status) ? "warn" : "bad", make("p", {}, sentence(error.message), passing), again && make("button", { type: "button", onclick: again }, error.status === 401 ? "Give a token" : "Try again")));
}

function sentence(text) {
  const first = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(first) ? first : `${first}.`;
}
