// What there is, drawn: namespaces, kinds, clusters, how fresh the index is, and what happened lately.

import { write } from "./address.js";
import { get } from "./api.js";
import { changeList } from "./changes.js";
import { agesAxis, bars, hours, tiles } from "./charts.js";
import { at, make, show } from "./dom.js";
import { ago, hue, many, since } from "./words.js";

const KINDS = 20;
const HOURS = 24;
const CHANGES = 1000;
const NEWEST = 5;
// How the API calls the group of what has none.
const NONE = "(none)";
const EXAMPLES = ["databases", "what sends notifications", "certificates", "how many services per namespace"];

let asking = new AbortController();

// No answer that is still to come is drawn.
export function leaveOverview() {
  asking.abort();
}

// Draws it; `refused` is told what the server refuses.
export async function drawOverview(refused) {
  asking.abort();
  asking = new AbortController();
  const { signal } = asking;
  const count = (by) => get("count", [["q", "everything"], ["groupBy", by]], signal);
  try {
    const [status, namespaces, kinds, changes] = await Promise.all([
      get("status", [], signal),
      count("namespace"),
      count("kind"),
      get("changes", [["since", `${HOURS}h`], ["limit", String(CHANGES)]], signal),
    ]);
    const parent = at("overview");
    show(parent, head(status, namespaces, kinds), panel("namespaces", "Namespaces", space(parent, namespaces.groups)), panel("kinds", "Kinds", kindBars(kinds.groups)), panel("clusters", "Clusters and freshness", clusters(status)), panel("lately", `Changes in the last ${HOURS} hours`, lately(changes)));
  } catch (error) {
    if (error.name !== "AbortError") {
      refused(error);
    }
  }
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

function space(parent, groups) {
  const rows = groups.filter((group) => group.name !== NONE).map(({ name, count }) => ({ name, count, href: to({ ns: [name] }), hue: hue(name) }));
  // The tiles keep their proportions when the window changes.
  const width = Math.min(parent.clientWidth || 960, 640);
  return rows.length > 0 ? tiles(rows, width, 300) : make("p", { class: "quiet-text" }, "Nothing is indexed yet.");
}

function kindBars(groups) {
  const rows = groups.map(({ name, count }) => ({ name, count, href: to({ kind: [name] }), hue: hue(name) }));
  const rest = rows.slice(KINDS);
  const more = rest.length > 0 && make("details", {}, make("summary", {}, many(rest.length, "more kind")), bars(rest));
  return [bars(rows.slice(0, KINDS)), more];
}

// The newest reading of each cluster, and what is done about it.
function clusters(status) {
  const names = [...new Set([...status.documents, ...status.sources, ...(status.live ?? [])].map((one) => one.cluster))];
  const row = (cluster) => {
    const documents = status.documents.filter((one) => one.cluster === cluster).reduce((sum, one) => sum + one.documents, 0);
    const ages = status.sources.filter((source) => source.cluster === cluster).map((source) => source.readings?.instances?.at).filter((time) => time);
    const live = (status.live ?? []).find((one) => one.cluster === cluster);
    const state = live ? (live.standby ? "another process watches it" : live.ready ? "watched" : "the first sync is under way") : "";
    const read = ages.length > 0 && !live?.ready ? `read ${ago(ages[0])}` : "";
    const title = cluster || (names.length > 1 ? "unnamed" : "this cluster");
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
