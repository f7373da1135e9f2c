// Where the hits are and what they are: each a way to narrow the search further.

import { write } from "./address.js";
import { bars } from "./charts.js";
import { make, show } from "./dom.js";
import { NOWHERE, hue } from "./words.js";

// Bars of one sort.
const BARS = 6;
const TITLES = { kind: "Kinds", ns: "Namespaces", cluster: "Clusters", label: "Labels" };

function counted(values) {
  const counts = new Map();
  for (const value of values.filter((value) => value)) {
    counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  return [...counts].map(([name, count]) => ({ name, count })).sort((a, b) => b.count - a.count || a.name.localeCompare(b.name));
}

// How hits are spread: `{ name, count }` for each list of an address, the most frequent first.
export function groupsOf(hits) {
  return {
    kind: counted(hits.map((hit) => hit.kind)),
    ns: counted(hits.map((hit) => hit.namespace).filter((name) => name !== NOWHERE)),
    cluster: counted(hits.map((hit) => hit.cluster)),
    label: counted(hits.flatMap((hit) => Object.entries(hit.labels ?? {}).map(([key, value]) => `${key}=${value}`))),
  };
}

// Draws how `number` hits are spread. What all of them share narrows nothing, and is left out.
export function drawAmong(parent, groups, number, state) {
  const section = ([list, title]) => {
    const ofLabel = list === "label";
    const rows = groups[list].filter((row) => row.count < number).sort((a, b) => b.count - a.count).slice(0, BARS);
    const bar = ({ name, count }) => ({
      name: ofLabel ? name.slice(name.indexOf("/") + 1) : name,
      title: name,
      count,
      hue: ofLabel ? "" : hue(name),
      href: write({ ...state, open: "", [list]: [...new Set([...state[list], name])] }),
    });
    return rows.length > 0 && make("section", {}, make("h2", {}, title), bars(rows.map(bar)));
  };
  const parts = Object.entries(TITLES).map(section).filter((part) => part);
  show(parent, parts.length > 0 && number > 1 && [make("p", { class: "quiet-text" }, `Narrow these ${number.toLocaleString("en")} hits to`), parts]);
}
