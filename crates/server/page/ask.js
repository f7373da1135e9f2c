// Questions answered in sentences, each going on with the one before. The turns of the conversation are kept here and sent along.

import { parameters, write } from "./address.js";
import { hearEvents } from "./api.js";
import { command } from "./copy.js";
import { at, make, show } from "./dom.js";
import { hue, many, parts, place } from "./words.js";

// Turns that are sent along: as many as the server takes.
const TURNS = 50;

let turns = [];
let asking = null;
let log = null;

// Whether a question was asked already.
export function isAsked(question) {
  return [...(log?.querySelectorAll("h2") ?? [])].some((title) => title.textContent === question);
}

// Draws the conversation; `on` has `ask`, `again` and `refused`.
export function drawTalk(on) {
  if (log) {
    return;
  }
  log = make("div", { class: "log", role: "log", "aria-label": "Answers, the newest first" });
  const begin = make("button", { type: "button", class: "quiet", onclick: () => { turns = []; log = null; asking?.abort(); show(at("talk")); drawTalk(on); on.again(); } }, "New conversation");
  show(at("talk"), make("div", { class: "about-talk" }, make("p", { class: "quiet-text" }, "Ask in plain words, then go on: “which of them are in production?”, “only the second”."), begin), log);
}

// Asks a question and draws what comes.
export async function ask(question, state, on) {
  drawTalk(on);
  asking?.abort();
  const own = new AbortController();
  asking = own;
  const steps = make("ol", { class: "steps", "aria-label": "Steps" });
  const answer = make("div", { class: "answer", "aria-busy": "true" });
  log.prepend(make("article", { class: "turn" }, make("h2", {}, question), steps, answer));
  const conditions = {};
  for (const [name, value] of parameters(state)) {
    name === "selector" ? (conditions[name] = value) : (conditions[name] ??= []).push(value);
  }
  const hear = (name, data) => {
    if (name === "step") {
      steps.append(make("li", {}, data.text));
    } else if (name === "answer") {
      turns = [...turns, data.turn].slice(-TURNS);
      steps.classList.add("done");
      show(answer, drawAnswer(data, state, on));
    } else if (name === "problem") {
      show(answer, make("p", { class: "told bad" }, data.detail));
    }
  };
  try {
    await hearEvents("talk", { question: { q: question, limit: 10, ...conditions }, turns }, hear, own.signal);
    if (answer.childElementCount === 0) {
      show(answer, make("p", { class: "told bad" }, "The answer broke off. Ask again."));
    }
  } catch (error) {
    if (error.name === "AbortError") {
      show(answer, make("p", { class: "quiet-text" }, "Left unanswered: another question was asked."));
    } else {
      on.refused(error);
      show(answer, make("p", { class: "told bad" }, error.message));
    }
  }
  answer.removeAttribute("aria-busy");
}

function drawAnswer(told, state, on) {
  const items = new Map(told.hits.map((item) => [item.id, item]));
  const numbers = new Map();
  // What a sentence is about has a number, as far as the sources below show it.
  const numbered = (ids) => ids.filter((id) => items.has(id)).map((id) => {
    numbers.has(id) || numbers.set(id, numbers.size + 1);
    return numbers.get(id);
  });
  const link = (id) => write({ ...state, view: "ask", open: id });
  const sentences = told.answer.map((sentence) => {
    const cited = numbered(sentence.ids);
    const marks = cited.length > 0 && cited.length <= 3 && cited.map((number) => make("sup", {}, String(number)));
    return make("p", {}, sentence.text, marks);
  });
  told.hits.forEach((item) => numbered([item.id]));
  const source = ([id, number]) => {
    const item = items.get(id);
    const state = (item.state ?? []).map((one) => make("span", { class: `live ${one.verdict}` }, one.text));
    return make("li", { class: item.answers ? "" : "near" },
      make("span", { class: "of", "aria-hidden": "true" }, String(number)),
      make("span", { class: `dot ${hue(item.kind)}`, "aria-hidden": "true" }),
      make("a", { href: link(id), "data-go": true }, item.name), state,
      make("span", { class: "of" }, ` ${[`${item.kind} in ${place(item.namespace, item.cluster)}`, item.is].filter((text) => text).join(" · ")}`));
  };
  const candidate = (id) => {
    const { kind, name } = parts(id);
    return make("button", { type: "button", onclick: () => on.ask(id.includes("/") ? `${kind.toLowerCase()}/${name}` : id) }, id.includes("/") ? `${kind} ${name}` : id);
  };
  const findings = (told.findings?.subjects ?? []).map((found) => make("div", { class: "finding" },
    make("h3", {}, `${found.subject.kind} ${found.subject.name}: ${found.state}`),
    make("ul", {}, found.diagnoses.map((diagnosis) => make("li", { class: diagnosis.bearing }, diagnosis.line)))));
  const needs = told.needs.filter((need) => !need.read).map((need) => make("p", { class: "told warn" }, `“${need.said}” is not in the index, which holds metadata only, and the cluster was not asked.`));
  return [
    told.took && make("p", { class: "took" }, told.took.text),
    make("div", { class: "sentences" }, sentences),
    told.asks && make("div", { class: "asks" }, make("p", {}, told.asks.text), told.asks.candidates.map(candidate)),
    findings, needs,
    told.doubts.map((doubt) => make("p", { class: "told warn" }, [doubt.text, doubt.remedy].filter((text) => text).join(". "))),
    told.notes.map((note) => make("p", { class: "quiet-text" }, note)),
    told.unread.map((why) => make("p", { class: "quiet-text" }, `Not read from the cluster: ${why}.`)),
    numbers.size > 0 && make("section", { class: "sources" }, make("h3", {}, "Sources"), make("ol", {}, [...numbers].map(source)), told.more > 0 && make("p", { class: "quiet-text" }, `and ${many(told.more, "more", "more")}`)),
    told.commands.length > 0 && make("details", {}, make("summary", {}, "Look further with kubectl"), told.commands.map(command)),
  ].flat();
}
