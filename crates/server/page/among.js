// Where the hits are and what they are: each a way to narrow the search further.

import { write } from "./address.js";
import { bars } from "./charts.js";
import { make, show } from "./dom.js";
import { NOWHERE, hue } from "./words.js";

// Bars of one sort.
const BARS = 6;

function counted(values) {
  const counts = new Map();
  for (const value of values) {
    counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  return [...counts].map(([name, count]) => ({ name, count })).sort((a, b) => b.count - a.count || a.name.localeCompare(b.name));
}

// Draws how the hits are spread. What all of them share narrows nothing, and is left out.
export function drawAmong(parent, hits, state) {
  const sort = (title, list, values) => {
    const rows = counted(values).filter((row) => row.count < hits.length).slice(0, BARS);
    const link = (row) => ({ ...row, name: list === "label" ? row.name.slice(row.name.indexOf("/") + 1) : row.name, title: row.name, hue: list === "label" ? "" : hue(row.name), href: write({ ...state, open: "", [list]: [...new Set([...state[list], row.name])] }) });
    return rows.length > 0 && make("section", {}, make("h2", {}, title), bars(rows.map(link)));
  };
  const parts = [
    sort("Kinds", "kind", hits.map((hit) => hit.kind)),
    sort("Namespaces", "ns", hits.map((hit) => hit.namespace).filter((name) => name && name !== NOWHERE)),
    sort("Clusters", "cluster", hits.map((hit) => hit.cluster).filter((name) => name)),
    sort("Labels", "label", hits.flatMap((hit) => Object.entries(hit.labels ?? {}).map(([key, value]) => `${key}=${value}`))),
  ].filter((part) => part);
  show(parent, parts.length > 0 && hits.length > 1 && [make("p", { class: "quiet-text" }, "Narrow these hits to"), parts]);
}
