// Calls of the API: the same that every other client makes.

const TOKEN = "token";

// What the server refuses, with what it says.
export class Refused extends Error {
  constructor(status, detail, near = []) {
    super(detail);
    this.status = status;
    this.near = near;
  }
}

// The token of this tab: gone when it is closed, and when it is loaded again where the browser keeps nothing.
let unkept = "";
export const token = {
  get() {
    try {
      return sessionStorage.getItem(TOKEN) ?? "";
    } catch {
      return unkept;
    }
  },
  set(value) {
    try {
      value ? sessionStorage.setItem(TOKEN, value) : sessionStorage.removeItem(TOKEN);
    } catch {
      unkept = value;
    }
  },
};

// What stands before a server says so that it is not there.
const UNREACHABLE = [502, 504];

// Tells by events "lost" and "answered" whether the last request reached the server.
export const reach = new EventTarget();
const tell = (event) => reach.dispatchEvent(new Event(event));

// Waits for what comes from the server.
async function arrived(coming) {
  try {
    return await coming;
  } catch (error) {
    if (error.name === "AbortError") {
      throw error;
    }
    tell("lost");
    throw new Refused(0, "The server does not answer. Is it running?");
  }
}

async function called(path, options = {}) {
  const headers = { accept: "application/json", ...options.headers };
  if (token.get()) {
    headers.authorization = `Bearer ${token.get()}`;
  }
  const answer = await arrived(fetch(path, { ...options, headers, credentials: "omit", cache: "no-store", redirect: "error" }));
  tell(UNREACHABLE.includes(answer.status) ? "lost" : "answered");
  if (!answer.ok) {
    const told = await answer.json().catch(() => ({}));
    throw new Refused(answer.status, told.detail ?? `The server answered ${answer.status}.`, told.near ?? []);
  }
  return answer;
}

// Asks for JSON. `parameters` are pairs of name and value.
export async function get(path, parameters = [], signal = undefined) {
  const answer = await called(`/api/v1/${path}?${new URLSearchParams(parameters)}`, { signal });
  return arrived(answer.json());
}

// Looks whether the server is there and answers within so many milliseconds; `reach` tells it.
export async function knock(milliseconds) {
  await called("/healthz", { signal: AbortSignal.timeout(milliseconds) }).catch(() => {});
}

// Sends JSON, and hears events until the answer is over: `hear(name, data)`. A browser's own reader of events sends no token.
export async function hearEvents(path, body, hear, signal) {
  const headers = { accept: "text/event-stream", "content-type": "application/json" };
  const answer = await called(`/api/v1/${path}`, { method: "POST", headers, body: JSON.stringify(body), signal });
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await arrived(reader.read());
    text += value ?? "";
    const events = text.split("\n\n");
    text = events.pop();
    for (const event of events) {
      const field = (name) => event.split("\n").filter((line) => line.startsWith(`${name}:`)).map((line) => line.slice(name.length + 1).trimStart());
      if (field("data").length > 0) {
        hear(field("event")[0] ?? "message", JSON.parse(field("data").join("\n")));
      }
    }
    if (done) {
      return;
    }
  }
}
