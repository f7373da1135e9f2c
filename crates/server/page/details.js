// All that is known of one object: metadata, what the cluster prints of it now, its family, what happened to it, what is like it.

import { get } from "./api.js";
import { write } from "./address.js";
import { changeList } from "./changes.js";
import { command } from "./copy.js";
import { at, make, show } from "./dom.js";
import { NOWHERE, ago, hue, many, parts, place } from "./words.js";

const SIMILAR = 6;
const CHANGES = 10;
// How API servers print that there is nothing.
const NONE = "<none>";

let asking = new AbortController();
let opened = null;

// The command of the object that is open.
export function openCommand() {
  return opened?.commands?.[1] ?? opened?.commands?.[0];
}

// Forgets what is open.
export function closeDetails() {
  asking.abort();
  opened = null;
  show(at("details"));
}

// Draws an object by its stored id, part by part as answers come. `on` has `narrow`, `close` and `refused`.
export async function drawDetails(id, state, on) {
  asking.abort();
  asking = new AbortController();
  const { signal } = asking;
  opened = null;
  const { cluster, namespace, kind, name } = parts(id);
  const body = make("div", { class: "body", "aria-busy": "true" });
  const head = heading({ kind, name, namespace, cluster }, on);
  show(at("details"), head, body);
  const link = (other) => write({ ...state, open: other });
  const family = make("div", {});
  const changes = make("div", {});
  const similar = make("div", {});
  const ask = (path, parameters, drawn, into) => get(path, parameters, signal).then(drawn).then((part) => show(into, part)).catch((error) => {
    if (error.name !== "AbortError" && error.status !== 404) {
      show(into, make("p", { class: "quiet-text" }, error.message));
    }
  });
  ask("tree", [["id", id]], (tree) => drawFamily(tree, link), family);
  ask("changes", [["q", name], ["namespace", namespace], ["kind", kind], ["limit", String(CHANGES)]], (told) => drawChanges(told, name), changes);
  ask("similar", [["id", id], ["limit", String(SIMILAR)]], (reply) => drawSimilar(reply, link), similar);
  try {
    const details = await get("details", [["id", id]], signal);
    opened = details;
    show(body, metadata(details, on), now(details), family, changes, similar, part("Commands", details.commands.map(command)));
  } catch (error) {
    if (error.name === "AbortError") {
      return;
    }
    if (error.status === 404) {
      const others = write({ ...state, open: "", view: "", q: name });
      show(body, make("p", { class: "told warn" }, "This object is not in the index, or not any more. It may have been deleted, or you may not see it. ", make("a", { href: others, "data-go": true }, `Search for “${name}”`)), changes);
    } else {
      on.refused(error);
      show(body, make("p", { class: "told bad" }, error.message));
    }
  }
  body.removeAttribute("aria-busy");
}

function heading({ kind, name, namespace, cluster }, on) {
  return make("div", { class: "title" },
    make("span", { class: `dot ${hue(kind)}`, "aria-hidden": "true" }),
    make("div", {}, make("h2", {}, name), make("p", { class: "where" }, `${kind} in ${place(namespace, cluster)}`)),
    make("button", { type: "button", class: "quiet", "aria-label": "Close the details", onclick: on.close }, "Close"));
}

function part(title, ...inside) {
  const filled = inside.flat().filter((child) => child);
  return filled.length > 0 && make("section", { class: "part" }, make("h3", {}, title), filled);
}

function rows(pairs) {
  const filled = pairs.filter(([, value]) => value);
  return filled.length > 0 && make("dl", {}, filled.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value))));
}

function metadata(details, on) {
  const narrow = (list, name, value) => make("button", { type: "button", class: "narrow", "aria-label": `Narrow to ${name} ${value}`, onclick: () => on.narrow(list, value) }, value);
  const labels = Object.entries(details.labels).map(([key, value]) => narrow("label", "label", `${key}=${value}`));
  const annotations = Object.entries(details.annotations).map(([key, value]) => make("div", {}, make("span", { class: "of" }, key), ` ${value}`));
  return make("section", { class: "part" }, make("h3", {}, "Metadata"),
    details.about && make("p", { class: "about" }, details.about),
    rows([
      ["Kind", make("span", {}, narrow("kind", "kind", details.kind), make("span", { class: "of" }, ` ${details.apiVersion}`))],
      ["Namespace", details.namespace && details.namespace !== NOWHERE && narrow("ns", "namespace", details.namespace)],
      ["Cluster", details.cluster && narrow("cluster", "cluster", details.cluster)],
      ["Software", details.is],
      ["Created", details.created && make("time", { datetime: details.created, title: details.created }, ago(details.created))],
      ["Labels", labels.length > 0 && make("span", { class: "labels" }, labels)],
      ["Annotations", annotations.length > 0 && make("div", {}, annotations)],
    ]));
}

function now(details) {
  const columns = details.columns.filter(([, cell]) => cell !== "" && cell !== NONE);
  if (columns.length > 0) {
    return part("Now, as the cluster prints it", rows(columns));
  }
  return details.unread && part("Now", make("p", { class: "quiet-text" }, `Not read from the cluster: ${details.unread}.`));
}

function drawFamily(tree, link) {
  if (tree.owners.length === 0 && tree.owned.length === 0) {
    return null;
  }
  const member = (object) => [
    make("span", { class: `dot ${hue(object.kind)}`, "aria-hidden": "true" }),
    make("span", { class: "of" }, object.kind), " ",
    object.indexed ? make("a", { href: link(object.id), "data-go": true }, object.name) : make("span", {}, `${object.name} (not in the index)`),
  ];
  const rest = (more) => (more > 0 ? [make("li", { class: "quiet-text" }, `${many(more, "more", "more")}`)] : []);
  const branch = (one) => make("li", {}, member(one), below(one.owned ?? [], one.more));
  const below = (owned, more) => owned.length + more > 0 && make("ul", {}, owned.map(branch), rest(more));
  const self = make("li", { "aria-current": "true", class: "self" }, make("span", { class: `dot ${hue(tree.object.kind)}`, "aria-hidden": "true" }), make("span", { class: "of" }, tree.object.kind), " ", make("strong", {}, tree.object.name), below(tree.owned, tree.more));
  const whole = tree.owners.reduceRight((inner, owner) => make("li", {}, member(owner), make("ul", {}, inner)), self);
  return part("Owner tree", make("ul", { class: "tree" }, whole), !tree.whole && make("p", { class: "quiet-text" }, "The namespace has more objects than were looked at."));
}

function drawChanges(told, name) {
  const own = told.changes.filter((change) => change.name === name);
  return own.length > 0 && part("Changes", changeList(own, true));
}

function drawSimilar(reply, link) {
  return reply.hits.length > 0 && part("Similar", make("ul", { class: "similar" }, reply.hits.map((hit) => make("li", {},
    make("span", { class: `dot ${hue(hit.kind)}`, "aria-hidden": "true" }),
    make("a", { href: link(hit.id), "data-go": true }, hit.name), make("span", { class: "of" }, ` ${hit.kind} in ${place(hit.namespace, hit.cluster)}`)))));
}
