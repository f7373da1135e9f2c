// Questions answered in sentences, each going on with the one before. The turns of the conversation are kept here and sent along.

import { EARLIER, conversation, parameters, write } from "./address.js";
import { hearEvents } from "./api.js";
import { busy } from "./busy.js";
import { command } from "./copy.js";
import { at, make, show } from "./dom.js";
import { hue, many, parts, place } from "./words.js";

// Turns that are sent along: as many as the server takes.
const TURNS = 50;
// Refusals that pass: for want of a token, of time, and of rest. Others of this sort are about the question.
const PASSING = [401, 408, 429];

// Turns as answers gave them, and every question in its order, with what is drawn of it and the filters under which it is asked.
let turns = [];
let asked = [];
// Questions that could not be asked: drawn until they are asked again.
let refused = [];
let asking = new AbortController();
let isBusy = false;
let log = null;

// The questions of the conversation.
export function questions() {
  return asked.map(({ question }) => question);
}

function forget() {
  asking.abort();
  asking = new AbortController();
  [turns, asked, refused, isBusy] = [[], [], [], false];
  log?.replaceChildren();
}

// Draws the conversation; `on` has `ask`, `again` and `unanswered`.
export function drawTalk(on) {
  if (log) {
    return;
  }
  log = make("div", { class: "log", role: "log", "aria-label": "Answers, the newest first" });
  const begin = make("button", { type: "button", class: "quiet", onclick: () => { forget(); on.again(); } }, "New conversation");
  show(at("talk"), make("div", { class: "about-talk" }, make("p", { class: "quiet-text" }, "Ask in plain words, then go on: “which of them are in production?”, “only the second”."), begin), log);
}

// Asks what a link has and the conversation has not. A link to another conversation begins that one.
export function goOn(linked, state, on) {
  const own = questions();
  let common = Math.min(own.length, linked.length);
  const isAt = (place) => linked.slice(0, common).every((question, at) => question === own[place + at]);
  while (common > 0 && !isAt(own.length - common)) {
    common -= 1;
  }
  const isInside = linked.length > 0 && own.some((_, place) => linked.every((question, at) => question === own[place + at]));
  if (isInside) {
    return;
  }
  takeRefused();
  if (common === 0 && linked.length > 0) {
    forget();
    if (linked.length > EARLIER) {
      log.append(make("p", { class: "quiet-text" }, `The link holds the last ${linked.length} questions. Those before them, which the first may follow, are not in it.`));
    }
  }
  linked.slice(common).forEach((question) => add(question, state, on));
}

// Takes away what could not be asked, and gives it back.
function takeRefused() {
  refused.forEach(({ turn }) => turn.remove());
  return refused.splice(0);
}

// Asks a question: at once, or when those before it are answered. What could not be asked before comes first.
export function ask(question, state, on) {
  drawTalk(on);
  takeRefused().forEach((one) => add(one.question, one.state, on));
  add(question, state, on);
}

function add(question, state, on) {
  const answer = make("div", { class: "answer", "aria-busy": "true" });
  const steps = make("ol", { class: "steps", "aria-label": "Steps" });
  const turn = make("article", { class: "turn" }, make("h2", {}, question), steps, answer);
  const waits = isBusy && make("p", { class: "quiet-text" }, "Waits for the answer before it.");
  show(answer, waits);
  log.prepend(turn);
  asked.push({ question, turn, answer, steps, state });
  next(on);
}

// Asks the next question that is not asked yet.
async function next(on) {
  const one = asked.find(({ isDone }) => !isDone);
  if (isBusy || !one) {
    return;
  }
  isBusy = true;
  const { signal } = asking;
  const error = await answered(one, on, signal);
  if (signal.aborted) {
    return;
  }
  isBusy = false;
  one.isDone = true;
  one.answer.removeAttribute("aria-busy");
  if (error) {
    // What follows an answer that is not there would be another question. They are asked again together.
    const left = asked.splice(asked.indexOf(one));
    refused = left;
    for (const { answer } of left.slice(1)) {
      answer.removeAttribute("aria-busy");
      show(answer, make("p", { class: "quiet-text" }, "Not asked yet: the question before it has no answer."));
    }
    on.unanswered(error);
    return;
  }
  next(on);
}

// Draws the answer to a question as it comes. Gives back why there is none, where it can be asked again.
async function answered({ question, answer, steps, state }, on, signal) {
  const conditions = {};
  for (const [name, value] of parameters(state)) {
    name === "selector" ? (conditions[name] = value) : (conditions[name] ??= []).push(value);
  }
  let isOver = false;
  const found = busy(answer, () => steps.childElementCount === 0 && !isOver && show(answer, make("p", { class: "quiet-text looking" }, "Looking…")));
  const hear = (name, data) => {
    if (signal.aborted) {
      return;
    }
    if (name === "step") {
      show(answer);
      steps.append(make("li", {}, data.text));
    } else if (name === "answer") {
      isOver = true;
      turns = [...turns, data.turn].slice(-TURNS);
      steps.classList.add("done");
      show(answer, drawAnswer(data, state, on));
    } else if (name === "problem") {
      isOver = true;
      show(answer, make("p", { class: "told bad" }, data.detail));
    }
  };
  show(answer);
  try {
    await hearEvents("talk", { question: { q: question, limit: 10, ...conditions }, turns }, hear, signal);
    if (!isOver) {
      show(answer, make("p", { class: "told bad" }, "The answer broke off. Ask again."));
    }
    return null;
  } catch (error) {
    if (error.name === "AbortError") {
      return null;
    }
    show(answer, make("p", { class: "told bad" }, error.message));
    return error.status >= 400 && error.status < 500 && !PASSING.includes(error.status) ? null : error;
  } finally {
    found();
  }
}

function drawAnswer(told, state, on) {
  const items = new Map(told.hits.map((item) => [item.id, item]));
  const numbers = new Map();
  // What a sentence is about has a number, as far as the sources below show it.
  const numbered = (ids) => ids.filter((id) => items.has(id)).map((id) => {
    numbers.has(id) || numbers.set(id, numbers.size + 1);
    return numbers.get(id);
  });
  const link = (id) => write({ ...state, ...conversation(questions()), open: id });
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
      make("a", { href: link(id), "data-go": true, "data-open": id }, item.name), state,
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
