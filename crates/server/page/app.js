// The page: what is asked stands in the address, and what is drawn follows from it.

import { asks, conversation, read, write } from "./address.js";
import { ask, drawTalk, goOn, questions } from "./ask.js";
import { drawChips } from "./chips.js";
import { copy } from "./copy.js";
import { closeDetails, drawDetails, openCommand } from "./details.js";
import { at, show } from "./dom.js";
import { chooseId, chosenHit, firstHit, move, moveTo } from "./hits.js";
import { drawOverview, leaveOverview } from "./overview.js";
import { clearSearch, leaveSearch, search } from "./search.js";
import { drawStatus, watchStatus } from "./status.js";
import { askForToken } from "./token.js";
import { drawRefused } from "./told.js";

// Milliseconds after the last key.
const PAUSE = 60;
// Typing that goes on is one step back.
const ONE_STEP = 2000;
// Until it is tried again: the first sync may be under way, or the server begins.
const AGAIN = 3000;

let state = read(location.search);
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
  address: (id) => write({ ...state, open: id }),
  close: () => close(),
  ask: (question) => sendQuestion(question),
  again: () => go({ q: "", after: [] }),
  notes: (told) => {
    notes = told;
    drawChips(at("chips"), state, notes, go);
  },
  refused: (error) => refused(error),
  unanswered: (error) => state.view === "ask" && refused(error),
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
  // What is searched for is the next question of the conversation, and its last question is what is searched for.
  const earlier = questions();
  const talk = talking ? state : conversation(state.q && state.q !== earlier.at(-1) ? [...earlier, state.q] : earlier);
  at("to-ask").href = write({ ...state, ...talk, open: "" });
  at("to-search").href = write({ ...state, view: "", open: "", q: talking ? state.q : "" });
  for (const [id, view] of [["to-search", ""], ["to-ask", "ask"]]) {
    (view === state.view) ? at(id).setAttribute("aria-current", "page") : at(id).removeAttribute("aria-current");
  }
  at("send").hidden = !talking;
  box.placeholder = talking ? "Ask about what is running…" : "Search by meaning: databases, what sends mail, pods of checkout…";
  const combobox = { role: "combobox", "aria-autocomplete": "list", "aria-controls": "hits", "aria-expanded": String(found && at("hits").children.length > 0) };
  for (const [name, value] of Object.entries(combobox)) {
    talking ? box.removeAttribute(name) : box.setAttribute(name, value);
  }
  at("found").hidden = !found;
  at("talk").hidden = !talking;
  at("overview").hidden = talking || found;
  document.body.classList.toggle("opened", state.open !== "");
  drawOpen();
  const asked = write({ ...state, open: "" });
  if (asked === drawn) {
    on.notes(notes);
    return;
  }
  drawn = asked;
  leaveSearch();
  leaveOverview();
  if (found) {
    // Until the reply is there, and where there is none.
    on.notes([]);
    search(state, on);
    return;
  }
  on.notes([]);
  if (!talking) {
    drawOverview(refused);
    return;
  }
  drawTalk(on);
  // Sources stay in the conversation as it is now.
  for (const link of at("talk").querySelectorAll("a[data-open]")) {
    link.href = write({ ...state, open: link.dataset.open });
  }
  goOn([...state.after, state.q].filter((question) => question.trim() !== ""), state, on);
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

// Says what the server refuses. Whoever is not known is asked for a token.
function refused(error) {
  drawn = "";
  at("overview").hidden = true;
  at("found").hidden = false;
  clearSearch();
  // What is no question yet becomes one with the next key.
  const known = () => askForToken(error, begin);
  clearTimeout(waiting);
  if ([0, 502, 503, 504].includes(error.status)) {
    waiting = setTimeout(draw, AGAIN);
  }
  drawRefused(at("told"), error, error.status === 400 ? undefined : error.status === 401 ? known : draw);
  if (error.status === 401) {
    known();
  }
}

// Draws everything anew: for somebody else.
function begin() {
  drawnOpen = "";
  clearSearch();
  drawStatus();
  draw();
  box.focus();
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
    box.value = "";
    ask(question, state, on);
    go({ ...conversation(questions()), open: "" });
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
// Whoever comes into the list by Tab is at its first hit.
at("hits").addEventListener("focus", () => chosenHit() ?? move(1));
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
watchStatus();
draw();
