// The address is the query: a link is a saved search, and back goes to the search before.

export const LISTS = ["ns", "kind", "cluster", "label"];

// Questions of a conversation before the last one that an address holds, at most: the latest.
export const EARLIER = 20;

// What is asked, of the part of an address behind the question mark.
export function read(search) {
  const given = new URLSearchParams(search);
  const state = { q: given.get("q") ?? "", open: given.get("open") ?? "", view: given.get("view") === "ask" ? "ask" : "", after: [] };
  for (const list of LISTS) {
    state[list] = [...new Set(given.getAll(list))];
  }
  if (state.view === "ask") {
    state.after = given.getAll("after").filter((question) => question.trim() !== "").slice(-EARLIER);
  }
  return state;
}

// A conversation as an address has it: its last question, and those before.
export function conversation(questions) {
  return { view: "ask", q: questions.at(-1) ?? "", after: questions.slice(0, -1).slice(-EARLIER) };
}

// The address of what is asked.
export function write(state) {
  const given = new URLSearchParams();
  if (state.view) {
    given.set("view", state.view);
    (state.after ?? []).forEach((question) => given.append("after", question));
  }
  if (state.q) {
    given.set("q", state.q);
  }
  for (const list of LISTS) {
    for (const value of state[list] ?? []) {
      given.append(list, value);
    }
  }
  if (state.open) {
    given.set("open", state.open);
  }
  const text = given.toString();
  return text ? `/?${text}` : "/";
}

// Whether anything is searched for.
export function asks(state) {
  return state.q.trim() !== "" || LISTS.some((list) => state[list].length > 0);
}

// What is asked, as the API takes it. A list goes as one value a name: a name with a comma is none.
export function parameters(state) {
  const names = { ns: "namespace", kind: "kind", cluster: "cluster" };
  const given = Object.entries(names).flatMap(([list, name]) => state[list].map((value) => [name, value]));
  return state.label.length > 0 ? [...given, ["selector", state.label.join(",")]] : given;
}
