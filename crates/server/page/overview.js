// What there is, drawn: namespaces, kinds, clusters, how fresh the index is, and what happened lately.

import { write } from "./address.js";
import { get } from "./api.js";
import { busy } from "./busy.js";
import { changeList } from "./changes.js";
import { agesAxis, bars, hours, tiles } from "./charts.js";
import { at, make, show } from "./dom.js";
import { NONE, ago, hue, many, since } from "./words.js";

const KINDS = 20;
const HOURS = 24;
const CHANGES = 1000;
const NEWEST = 5;
const EXAMPLES = ["databases", "what sends notifications", "certificates", "how many services per namespace"];

const TILES_HEIGHT = 300;

let asking = new AbortController();
// Draws tiles anew where their place becomes wider or narrower.
let resized = null;

// No answer that is still to come is drawn.
export function leaveOverview() {
  asking.abort();
  resized?.disconnect();
}

// Draws it; `refused` is told what the server refuses.
export async function drawOverview(refused) {
  leaveOverview();
  asking = new AbortController();
  const { signal } = asking;
  const parent = at("overview");
  const found = busy(parent, () => show(parent, make("p", { class: "quiet-text looking", role: "status" }, "Reading what there is…")));
  const count = (by) => get("count", [["q", "everything"], ["groupBy", by]], signal);
  try {
    const [status, namespaces, kinds, changes] = await Promise.all([
      get("status", [], signal),
      count("namespace"),
      count("kind"),
      get("changes", [["since", `${HOURS}h`], ["limit", String(CHANGES)]], signal),
    ]);
    show(parent, head(status, namespaces, kinds), panel("namespaces", "Namespaces", space(namespaces.groups)), panel("kinds", "Kinds", kindBars(kinds.groups)), panel("clusters", "Clusters and freshness", clusters(status)), panel("lately", `Changes in the last ${HOURS} hours`, lately(changes)));
  } catch (error) {
    if (error.name !== "AbortError") {
      refused(error);
    }
  }
  found();
}

const to = (change) => write({ q: "", view: "", open: "", ...change });

function head(status, namespaces, kinds) {
  const objects = status.collections.find((collection) => collection.name === "instances")?.documents ?? 0;
  const places = namespaces.groups.filter((group) => group.name !== NONE).length;
  const number = (value, what) => make("div", { class: "number" }, make("strong", {}, value.toLocaleString("en")), make("span", {}, what));
  return make("div", { class: "numbers" }, number(objects, objects === 1 ? "object" : "objects"), number(kinds.groups.length, "kinds"), number(places, "namespaces"), examples());
}

function panel(name, title, ...inside) {
  return make("section", { class: `panel ${name}`, "aria-labelledby": `panel-${name}` }, make("h2", { id: `panel-${name}` }, title), inside);
}

function space(groups) {
  const rows = groups.filter((group) => group.name !== NONE).map(({ name, count }) => ({ name, count, href: to({ ns: [name] }), hue: hue(name) }));
  rows.sort((a, b) => b.count - a.count);
  if (rows.length === 0) {
    return make("p", { class: "quiet-text" }, "Nothing is indexed yet.");
  }
  const place = make("div", {});
  let width = 0;
  resized = new ResizeObserver(() => {
    if (place.clientWidth !== width) {
      width = place.clientWidth;
      const { drawn, rest } = tiles(rows, width, TILES_HEIGHT);
      show(place, drawn, folded(rest, "more namespace"));
    }
  });
  resized.observe(place);
  return place;
}

function folded(rows, what) {
  return rows.length > 0 && make("details", {}, make("summary", {}, many(rows.length, what)), bars(rows));
}

function kindBars(groups) {
  const rows = groups.map(({ name, count }) => ({ name, count, href: to({ kind: [name] }), hue: hue(name) }));
  return [bars(rows.slice(0, KINDS)), folded(rows.slice(KINDS), "more kind")];
}

// The newest reading of each cluster, and what is done about it.
function clusters(status) {
  const names = [...new Set([...status.documents, ...status.sources, ...(status.live ?? [])].map((one) => one.cluster))];
  const row = (cluster) => {
    const documents = status.documents.filter((one) => one.cluster === cluster).reduce((sum, one) => sum + one.documents, 0);
    const ages = status.sources.filter((source) => source.cluster === cluster).map((source) => source.readings?.instances?.at).filter((time) => time);
    const live = (status.live ?? []).find((one) => one.cluster === cluster);
    const state = live ? (live.gone ? "its kubeconfig is gone" : live.standby ? "another process watches it" : live.ready ? "watched" : "the first sync is under way") : "";
    const read = ages.length > 0 && (!live?.ready || live.gone) ? `read ${ago(ages[0])}` : "";
    const called = status.sources.find((source) => source.cluster === cluster && source.name)?.name;
    const title = called || cluster || (names.length > 1 ? "unnamed" : "this cluster");
    return make("li", {},
      make("a", { href: to({ cluster: [cluster] }), "data-go": true }, title),
      make("span", { class: "of" }, [many(documents, "object"), state, read].filter((text) => text).join(" · ")),
      // What is watched is as new as the cluster.
      (live?.ready || ages.length > 0) && agesAxis(live?.ready ? [0] : ages.map(since).filter((seconds) => seconds !== null)));
  };
  return names.length > 0 ? make("ul", { class: "clusters" }, names.map(row)) : make("p", { class: "quiet-text" }, "Nothing is indexed yet.");
}

function lately(told) {
  if (told.changes.length === 0) {
    const empty = told.notes.some((note) => note.type === "empty");
    return make("p", { class: "quiet-text" }, empty ? "The journal is empty: it is kept while a cluster is watched." : "Nothing changed.");
  }
  const times = told.changes.map((change) => since(change.at)).filter((seconds) => seconds !== null);
  return [
    make("p", { class: "quiet-text" }, many(times.length, "change"), told.more ? " and more" : ""),
    hours(times, HOURS),
    make("p", { class: "ends", "aria-hidden": "true" }, make("span", {}, `${HOURS} h ago`), make("span", {}, "now")),
    changeList(told.changes.slice(0, NEWEST)),
  ];
}

function examples() {
  return make("p", { class: "examples" }, "Try ", EXAMPLES.map((text) => make("a", { href: to({ q: text }), "data-go": true }, text)));
}
