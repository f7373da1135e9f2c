// The page: what is asked stands in the address, and what is drawn follows from it.

import { asks, parameters, read, write } from "./address.js";
import { drawAmong } from "./among.js";
import { get, token } from "./api.js";
import { ask, drawTalk, isAsked } from "./ask.js";
import { bars } from "./charts.js";
import { drawChips } from "./chips.js";
import { copy } from "./copy.js";
import { closeDetails, drawDetails, openCommand } from "./details.js";
import { at, make, show } from "./dom.js";
import { chooseId, chosenHit, drawHits, firstHit, move, moveTo } from "./hits.js";
import { drawOverview, leaveOverview } from "./overview.js";
import { drawNothing, drawRefused, drawTold } from "./told.js";
import { ago, hue, many, since } from "./words.js";

// Milliseconds after the last key.
const PAUSE = 60;
// Until the cluster is asked for what it alone knows: not at every key.
const BEFORE_LIVE = 350;
// Typing that goes on is one step back.
const ONE_STEP = 2000;
const FIRST = 20;
const MORE = 100;
const BETWEEN_STATUS = 30000;

let state = read(location.search);
let limit = FIRST;
let searching = new AbortController();
let waiting = 0;
let typed = 0;
let notes = [];
let drawnOpen = "";
// What is drawn beside the details, as its address; nothing where that failed.
let drawn = "";

const box = at("q");

// Goes to another state. What is typed in one go is one step of the history.
function go(change, typing = false) {
  const before = write(state);
  state = { ...state, ...change };
  const after = write(state);
  const now = Date.now();
  if (after !== before) {
    typing && now - typed < ONE_STEP ? history.replaceState(null, "", after) : history.pushState(null, "", after);
  }
  typed = typing ? now : 0;
  typing ? later() : draw();
}

const on = {
  narrow: (list, value) => go({ view: "", open: "", [list]: [...new Set([...state[list], value])] }),
  open: (id) => go({ open: id }),
  close: () => close(),
  ask: (question) => sendQuestion(question),
  again: () => go({ q: "" }),
  refused: (error) => refused(error),
};

function later() {
  clearTimeout(waiting);
  waiting = setTimeout(draw, PAUSE);
  drawChips(at("chips"), state, [], go);
}

// Draws all that the state says.
function draw() {
  clearTimeout(waiting);
  const talking = state.view === "ask";
  const found = !talking && asks(state);
  if (box.value.trim() !== state.q.trim() && !(talking && document.activeElement === box)) {
    box.value = talking ? "" : state.q;
  }
  document.title = state.q ? `${state.q} · clusterlore` : "clusterlore";
  for (const [id, view] of [["to-search", ""], ["to-ask", "ask"]]) {
    at(id).href = write({ ...state, view, open: "", q: view === state.view ? "" : state.q });
    (view === state.view) ? at(id).setAttribute("aria-current", "page") : at(id).removeAttribute("aria-current");
  }
  at("send").hidden = !talking;
  box.placeholder = talking ? "Ask about what is running…" : "Search by meaning: databases, what sends mail, pods of checkout…";
  box.setAttribute("role", talking ? "textbox" : "combobox");
  for (const name of ["aria-expanded", "aria-controls", "aria-autocomplete"]) {
    talking ? box.removeAttribute(name) : box.setAttribute(name, { "aria-expanded": "false", "aria-controls": "hits", "aria-autocomplete": "list" }[name]);
  }
  at("found").hidden = !found;
  at("talk").hidden = !talking;
  at("overview").hidden = talking || found;
  document.body.classList.toggle("opened", state.open !== "");
  drawOpen();
  const asked = write({ ...state, open: "" });
  if (asked === drawn) {
    return;
  }
  drawn = asked;
  limit = FIRST;
  searching.abort();
  if (found) {
    leaveOverview();
    search();
    return;
  }
  notes = [];
  drawChips(at("chips"), state, notes, go);
  if (talking) {
    leaveOverview();
    drawTalk(on);
    if (state.q && !isAsked(state.q)) {
      ask(state.q, state, on);
    }
  } else {
    drawOverview(refused);
  }
}

function drawOpen() {
  at("details").hidden = state.open === "";
  if (state.open === drawnOpen) {
    return;
  }
  drawnOpen = state.open;
  if (state.open) {
    drawDetails(state.open, state, on);
    chooseId(state.open);
  } else {
    closeDetails();
  }
}

async function search() {
  searching = new AbortController();
  const { signal } = searching;
  const asked = (live) => get("search", [["q", state.q], ["limit", String(limit)], ["live", String(live)], ...parameters(state)], signal);
  const began = performance.now();
  try {
    let reply = await asked(false);
    drawReply(reply, performance.now() - began);
    if (reply.needs.length > 0) {
      await new Promise((done) => setTimeout(done, BEFORE_LIVE));
      if (!signal.aborted) {
        reply = await asked(true);
        drawReply(reply, performance.now() - began);
      }
    }
  } catch (error) {
    if (error.name !== "AbortError") {
      drawHits({ hits: [] }, on);
      show(at("nothing"));
      for (const part of ["numbers", "more", "among"]) {
        show(at(part));
      }
      at("count").textContent = "";
      refused(error);
    }
  }
}

function drawReply(reply, milliseconds) {
  notes = reply.notes;
  drawChips(at("chips"), state, notes, go);
  drawTold(at("told"), reply);
  drawHits(reply, on);
  at("hits").dataset.of = write({ ...state, open: "" });
  chooseId(state.open);
  drawNothing(at("nothing"), reply, state);
  const shown = reply.hits.length;
  const whole = reply.inScope < reply.total ? `${many(reply.inScope, "object")} under these conditions` : many(reply.total, "object");
  const number = reply.number === null ? "" : `${reply.number.toLocaleString("en")} match. `;
  at("count").textContent = shown > 0 ? `${number}${many(shown, "hit")} out of ${whole}, in ${Math.round(milliseconds)} ms` : number;
  drawGroups(reply);
  show(at("more"), shown === limit && limit < MORE && make("button", { type: "button", class: "more", onclick: () => { limit = MORE; search(); } }, `Show up to ${MORE}`));
  drawAmong(at("among"), reply.hits, state);
}

// The numbers of each group, where the question asks for them.
function drawGroups(reply) {
  const by = reply.notes.find((note) => note.type === "grouped")?.text ?? "";
  const list = { "asked: by namespace": "ns", "asked: by kind": "kind", "asked: by cluster": "cluster" }[by];
  const rows = reply.groups.slice(0, FIRST).map(({ name, count }) => ({ name, count, hue: list && list !== "cluster" ? hue(name) : "", href: list && name !== "(none)" ? write({ ...state, open: "", q: "", kind: kindsOf(reply), [list]: [name] }) : undefined }));
  const title = `${(reply.number ?? 0).toLocaleString("en")} ${by.replace("asked: ", "")}`;
  show(at("numbers"), rows.length > 0 && make("section", { class: "panel groups", "aria-label": title }, make("h2", {}, title), bars(rows), reply.groups.length > FIRST && make("p", { class: "quiet-text" }, `and ${many(reply.groups.length - FIRST, "more group")}`)));
}

// The kinds that are chosen, or that the question was narrowed to.
function kindsOf(reply) {
  const read = reply.notes.filter((note) => note.type === "kind").flatMap((note) => note.values ?? []);
  return state.kind.length > 0 ? state.kind : read;
}

// Says what the server refuses. Whoever is not known is asked for a token.
function refused(error) {
  drawn = "";
  at("overview").hidden = true;
  at("found").hidden = false;
  // What is no question yet becomes one with the next key.
  const again = error.status === 400 ? undefined : error.status === 401 ? () => askForToken(error) : draw;
  drawRefused(at("told"), error, again);
  if (error.status === 401) {
    askForToken(error);
  }
}

function askForToken(error) {
  const dialog = at("token");
  if (dialog.open) {
    return;
  }
  const wrong = token.get() !== "";
  token.set("");
  const field = make("input", { id: "token-field", type: "password", autocomplete: "off", spellcheck: "false", required: true, "aria-describedby": "token-why" });
  const use = (event) => {
    event.preventDefault();
    if (field.value.trim()) {
      token.set(field.value.trim());
      dialog.close();
      drawnOpen = "";
      at("found").hidden = true;
      show(at("told"));
      drawStatus();
      draw();
      box.focus();
    }
  };
  show(dialog, make("form", { onsubmit: use },
    make("h2", { id: "token-title" }, wrong ? "That token was refused" : "Who are you?"),
    make("p", { id: "token-why" }, `This server answers those it knows. A token stays in this tab and is gone when you close it. The server says: ${error.message}`),
    make("label", { for: "token-field" }, "Token"), field,
    make("div", { class: "buttons" }, make("button", { type: "button", class: "quiet", onclick: () => dialog.close() }, "Not now"), make("button", { type: "submit", class: "primary" }, "Use it"))));
  dialog.showModal();
  field.focus();
}

// How old the index is.
async function drawStatus() {
  try {
    const status = await get("status");
    const times = status.sources.map((source) => source.readings?.instances?.at).filter((time) => time);
    const oldest = times.sort()[0];
    const watched = (status.live ?? []).some((one) => one.ready && !one.standby);
    const old = oldest && since(oldest) > 86400 && !watched;
    show(at("freshness"), (oldest || watched) && make("span", { class: `dot ${old ? "old" : "fresh"}`, "aria-hidden": "true" }), watched ? "Watched live" : oldest ? `Index read ${ago(oldest)}` : "");
    show(at("leave"), token.get() && make("button", { type: "button", class: "quiet", onclick: () => { token.set(""); location.assign("/"); } }, "Forget token"));
  } catch {
    // What it cannot tell is told where it was asked for.
    show(at("freshness"));
  }
}

function close() {
  if (state.open) {
    go({ open: "" });
    box.focus({ preventScroll: true });
  }
}

function sendQuestion(text) {
  const question = text.trim();
  if (question) {
    const again = isAsked(question);
    box.value = "";
    go({ view: "ask", q: question, open: "" });
    if (again) {
      ask(question, state, on);
    }
  }
}

function openChosen() {
  const hit = chosenHit() ?? firstHit();
  if (hit) {
    on.open(hit.id);
    at("details").focus();
  }
}

function copyChosen() {
  const hit = chosenHit() ?? firstHit();
  const text = state.open ? openCommand() : hit?.command ?? hit?.explainCommand;
  if (text) {
    copy(text);
  }
}

// Keys of the box and of the list.
const KEYS = {
  ArrowDown: () => move(1),
  ArrowUp: () => move(-1),
  Enter: openChosen,
};
const LIST_KEYS = { ...KEYS, Home: () => moveTo("first"), End: () => moveTo("last"), " ": openChosen };

function act(keys, event) {
  const plain = !event.ctrlKey && !event.metaKey && !event.altKey && !event.isComposing;
  if (plain && keys[event.key]) {
    event.preventDefault();
    keys[event.key]();
  }
}

box.addEventListener("input", () => state.view === "ask" || go({ q: box.value, open: "" }, true));
box.addEventListener("keydown", (event) => {
  if (state.view === "ask") {
    act({ Enter: () => sendQuestion(box.value) }, event);
  } else {
    act(KEYS, event);
  }
});
at("send").addEventListener("click", () => sendQuestion(box.value));
at("hits").addEventListener("keydown", (event) => act(LIST_KEYS, event));

document.addEventListener("keydown", (event) => {
  const writing = event.target.closest?.("input, textarea, select") !== null;
  if (at("token").open) {
    return;
  }
  if (event.key === "Escape") {
    state.open ? close() : box.focus();
    return;
  }
  if (!writing) {
    const focus = () => {
      box.focus();
      box.select();
    };
    act({ "/": focus, c: copyChosen }, event);
  }
});

// Links of the page go on in the page.
document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[data-go], .bar a");
  if (link && event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey) {
    event.preventDefault();
    const { open, ...rest } = read(new URL(link.href).search);
    go({ ...rest, open });
  }
});

addEventListener("popstate", () => {
  state = read(location.search);
  typed = 0;
  box.value = state.view === "ask" ? "" : state.q;
  draw();
});

// The look: that of the system, or the other one.
function drawTheme() {
  const chosen = document.documentElement.dataset.theme;
  const dark = chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  show(at("theme"), dark ? "Light" : "Dark");
  at("theme").setAttribute("aria-label", `Use the ${dark ? "light" : "dark"} look`);
  return dark ? "light" : "dark";
}

at("theme").addEventListener("click", () => {
  document.documentElement.dataset.theme = drawTheme();
  try {
    localStorage.setItem("theme", document.documentElement.dataset.theme);
  } catch {
    // It holds as long as the page does.
  }
  drawTheme();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawTheme);

// An address is written in one way.
history.replaceState(null, "", write(state));
drawTheme();
drawStatus();
setInterval(drawStatus, BETWEEN_STATUS);
draw();
