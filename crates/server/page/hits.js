// The list of hits, of which one is chosen: by the arrow keys, from the box or in the list.

import { at, make, show } from "./dom.js";
import { NOWHERE, age, hue, phrase, place } from "./words.js";

// What a hit says beside its name, at most.
const REASONS = 3;
// Reasons that tell nothing beside others.
const VAGUE = ["likely what is asked for", "close in meaning"];

let hits = [];
let chosen = -1;

// The hit that is chosen.
export function chosenHit() {
  return hits[chosen];
}

// The first hit.
export function firstHit() {
  return hits[0];
}

// Chooses the hit that is `by` further on; one before the first is none.
export function move(by) {
  choose(Math.max(-1, Math.min(hits.length - 1, chosen + by)));
}

// Chooses the first hit, or the last.
export function moveTo(end) {
  choose(end === "first" ? 0 : hits.length - 1);
}

// Chooses the hit of an id, if it is there.
export function chooseId(id) {
  choose(hits.findIndex((hit) => hit.id === id), false);
}

function choose(number, scroll = true) {
  const list = at("hits");
  list.children[chosen]?.setAttribute("aria-selected", "false");
  chosen = number;
  const option = list.children[chosen];
  option?.setAttribute("aria-selected", "true");
  if (scroll) {
    option?.scrollIntoView({ block: "nearest" });
  }
  for (const controls of [at("q"), list]) {
    option ? controls.setAttribute("aria-activedescendant", option.id) : controls.removeAttribute("aria-activedescendant");
  }
}

function option(hit, number, on) {
  const live = (hit.live ?? []).map((found) => make("span", { class: `live ${found.verdict}` }, found.text));
  // The description stands there itself, and all of a scope is in it.
  const said = [...new Set(hit.matched.map(phrase))].filter((reason) => reason !== "in scope" && !(hit.description && reason.startsWith("description: ")));
  const telling = said.some((reason) => !VAGUE.includes(reason)) ? said.filter((reason) => !VAGUE.includes(reason)) : said;
  const reasons = telling.slice(0, REASONS).join(" · ");
  const open = (event) => (event.ctrlKey || event.metaKey ? window.open(on.address(hit.id), "_blank", "noopener") : on.open(hit.id));
  // A click on kind or namespace narrows to it; with the keys that is done in the details.
  const narrow = (list, value) => (event) => {
    event.stopPropagation();
    on.narrow(list, value);
  };
  const namespace = hit.namespace === NOWHERE || hit.namespace === undefined
    ? make("span", {}, place(hit.namespace, hit.cluster))
    : make("span", { class: "narrow", onclick: narrow("ns", hit.namespace) }, place(hit.namespace, hit.cluster));
  return make("li", { id: `hit-${number}`, class: "hit", role: "option", "aria-selected": "false", onclick: open },
    make("span", { class: `dot ${hue(hit.kind)}`, "aria-hidden": "true" }),
    make("span", { class: "head" },
      make("span", { class: "name" }, hit.name),
      live,
      make("span", { class: "age", title: hit.createdAt ?? "" }, hit.createdAt ? age(hit.createdAt) : "")),
    hit.description && make("span", { class: "about" }, hit.description),
    make("span", { class: "where" },
      make("span", { class: "place" }, make("span", { class: "narrow kind", onclick: narrow("kind", hit.kind) }, hit.kind), " in ", namespace),
      reasons && make("span", { class: "why" }, reasons)));
}

// Draws a reply's hits. What was chosen stays so if it is still there.
export function drawHits(reply, on) {
  const before = chosenHit()?.id;
  const list = at("hits");
  hits = reply.hits;
  chosen = -1;
  show(list, hits.map((hit, number) => option(hit, number, on)));
  list.hidden = hits.length === 0;
  at("q").setAttribute("aria-expanded", String(hits.length > 0));
  chooseId(before);
}
