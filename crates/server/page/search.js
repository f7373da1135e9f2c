// A search: first what the index says, at once; then, when typing has come to rest, what only the cluster knows, or how many match.

import { parameters, write } from "./address.js";
import { drawAmong, groupsOf } from "./among.js";
import { get } from "./api.js";
import { busy } from "./busy.js";
import { changeList } from "./changes.js";
import { bars } from "./charts.js";
import { at, make, show } from "./dom.js";
import { chooseId, drawHits } from "./hits.js";
import { drawNothing, drawTold } from "./told.js";
import { NONE, hue, many } from "./words.js";

// Hits, and how many there can be.
const FIRST = 20;
const MORE = 100;
// Until the cluster is asked for what it alone knows, and all that match are counted: not at every key.
const PAUSE = 350;
// Changes that are told where a question asks what happened, and the note that says that it does.
const CHANGES = 20;
const HAPPENED = "happened";
// What a question can be grouped by, as chips have it.
const LISTS = { "asked: by namespace": "ns", "asked: by kind": "kind", "asked: by cluster": "cluster" };

const rest = () => new Promise((done) => setTimeout(done, PAUSE));

let asking = new AbortController();

// No answer that is still to come is drawn.
export function leaveSearch() {
  asking.abort();
}

// Takes away what was drawn.
export function clearSearch() {
  drawHits({ hits: [] });
  ["told", "nothing", "numbers", "more", "among", "happened", "count"].forEach((part) => show(at(part)));
}

// Keys of labels by which all that match are counted.
const KEYS = 2;

// Draws what a state asks for. `on` has what hits need, `notes` for the notes of each reply, and `refused`.
export async function search(state, on, limit = FIRST) {
  asking.abort();
  asking = new AbortController();
  const { signal } = asking;
  const asked = (live) => get("search", [["q", state.q], ["limit", String(limit)], ["live", String(live)], ...parameters(state)], signal);
  const began = performance.now();
  const drawn = (reply) => drawReply(reply, state, on, limit, performance.now() - began);
  const looking = (text) => busy(at("found"), () => show(at("count"), make("span", { class: "looking" }, text)));
  let found = looking("Looking…");
  try {
    const reply = await asked(false);
    found();
    drawn(reply);
    show(at("happened"));
    // Where the journal answers, what is there does not matter.
    if (reply.notes.some((note) => note.type === HAPPENED) && await drawHappened(state, signal)) {
      ["told", "nothing"].forEach((part) => show(at(part)));
      return;
    }
    if (reply.needs.length > 0) {
      await rest();
      found = looking("Asking the cluster…");
      drawn(await asked(true));
    } else if (reply.hits.length === limit) {
      await rest();
      await drawWhole(reply, state, signal);
    }
  } catch (error) {
    if (error.name !== "AbortError") {
      on.refused(error);
    }
  }
  found();
}

function drawReply(reply, state, on, limit, milliseconds) {
  on.notes(reply.notes);
  drawTold(at("told"), reply);
  drawHits(reply, on);
  at("hits").dataset.of = write({ ...state, open: "" });
  chooseId(state.open);
  drawNothing(at("nothing"), reply, state);
  const shown = reply.hits.length;
  const whole = reply.inScope < reply.total ? `${many(reply.inScope, "object")} under these conditions` : many(reply.total, "object");
  const number = reply.number === null ? "" : `${reply.number.toLocaleString("en")} match. `;
  const took = make("span", {}, ` out of ${whole}, in ${Math.round(milliseconds)} ms`);
  show(at("count"), shown > 0 ? [number, make("span", { id: "shown" }, `${shown === limit ? "First " : ""}${many(shown, "hit")}`), took] : number);
  drawGroups(reply, state);
  show(at("more"), shown === limit && limit < MORE && make("button", { type: "button", class: "more", onclick: () => search(state, on, MORE) }, `Show up to ${MORE}`));
  drawAmong(at("among"), groupsOf(reply.hits), shown, state);
}

// Says of how many the first hits are, and how all of them are spread. Where that is not told, the hits stand alone.
async function drawWhole(reply, state, signal) {
  const count = (by) => get("count", [["q", state.q], ["live", "false"], ["groupBy", by], ...parameters(state)], signal);
  const keys = groupsOf(reply.hits).label.map(({ name }) => name.split("=")[0]);
  const by = ["namespace", "kind", "cluster", ...[...new Set(keys)].slice(0, KEYS).map((key) => `label:${key}`)];
  const counts = await Promise.all(by.map(count)).catch(() => null);
  if (counts === null) {
    return;
  }
  const [namespaces, kinds, clusters, ...labels] = counts;
  const named = (told) => told.groups.filter((group) => group.name !== NONE);
  const groups = {
    kind: named(kinds),
    ns: named(namespaces),
    cluster: named(clusters),
    label: labels.flatMap((told, at) => named(told).map(({ name, count }) => ({ name: `${by[at + 3].slice("label:".length)}=${name}`, count }))),
  };
  if (kinds.number > reply.hits.length) {
    show(at("shown"), `${reply.hits.length} of ${kinds.number.toLocaleString("en")} that match,`);
    drawAmong(at("among"), groups, kinds.number, state);
  }
}

function panel(title, ...inside) {
  return make("section", { class: "panel groups", "aria-label": title }, make("h2", {}, title), inside);
}

// The numbers of each group, where the question asks for them.
function drawGroups(reply, state) {
  const by = reply.notes.find((note) => note.type === "grouped")?.text ?? "";
  const list = LISTS[by];
  const read = reply.notes.filter((note) => note.type === "kind").flatMap((note) => note.values ?? []);
  const kind = state.kind.length > 0 ? state.kind : read;
  const row = ({ name, count }) => ({
    name,
    count,
    hue: list && list !== "cluster" ? hue(name) : "",
    href: list && name !== NONE ? write({ ...state, open: "", q: "", kind, [list]: [name] }) : undefined,
  });
  const rest = reply.groups.length - FIRST;
  const title = `${(reply.number ?? 0).toLocaleString("en")} ${by.replace("asked: ", "")}`;
  show(at("numbers"), reply.groups.length > 0 && panel(title, bars(reply.groups.slice(0, FIRST).map(row)), rest > 0 && make("p", { class: "quiet-text" }, `and ${many(rest, "more group")}`)));
}

// Draws what the journal says, where the question asks what happened, and tells whether it says anything.
async function drawHappened(state, signal) {
  const conditions = parameters(state).filter(([name]) => name !== "selector");
  const told = await get("changes", [["q", state.q], ["limit", String(CHANGES)], ...conditions], signal);
  show(at("happened"), told.changes.length > 0 && panel("What happened", changeList(told.changes)));
  return told.changes.length > 0;
}
