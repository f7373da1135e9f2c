// What happened to objects, as the journal has it.

import { write } from "./address.js";
import { make } from "./dom.js";
import { NOWHERE, ago } from "./words.js";

function what(change) {
  const told = (change.what ?? "changed").replaceAll("-", " ");
  // Nobody watched between these times.
  return change.after ? `${told}, noticed only then: nobody watched after ${ago(change.after)}` : told;
}

// The search for what a change is about.
function address({ name, namespace, kind }) {
  return write({ q: name, ns: namespace === NOWHERE ? [] : [namespace], kind: [kind] });
}

// A list of changes, the newest first; without the names of the objects where they are all of one.
export function changeList(changes, ofOne = false) {
  const row = (change) => make("li", {},
    make("time", { datetime: change.at, title: change.at }, ago(change.at)), " ",
    !ofOne && [make("a", { href: address(change), "data-go": true }, `${change.kind} ${change.name}`), " "],
    what(change));
  return make("ol", { class: "changes" }, changes.map(row));
}
