// The list of hits, of which one is chosen: by the arrow keys, from the box or in the list.

import { at, make, show } from "./dom.js";
import { NOWHERE, age, hue, phrase, place } from "./words.js";

// What a hit says beside its name, at most.
const REASONS = 3;
// Reasons that tell nobody anything.
const VAGUE = ["likely what is asked for", "meaning", "in scope"];

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
  const telling = [...new Set(hit.matched.map(phrase))].filter((reason) => !VAGUE.includes(reason));
  const reasons = telling.slice(0, REASONS).join(" · ");
  // A click on kind or namespace narrows to it; with the keys that is done in the details.
  const narrow = (list, value) => (event) => {
    event.stopPropagation();
    on.narrow(list, value);
  };
  const namespace = hit.namespace === NOWHERE || hit.namespace === undefined
    ? make("span", {}, place(hit.namespace, hit.cluster))
    : make("span", { class: "narrow", onclick: narrow("ns", hit.namespace) }, place(hit.namespace, hit.cluster));
  return make("li", { id: `hit-${number}`, class: "hit", role: "option", "aria-selected": "false", onclick: () => on.open(hit.id) },
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
