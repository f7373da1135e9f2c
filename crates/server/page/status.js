// How old the index is, whether a token is in use, and whether the server is there.

import { get, knock, reach, token } from "./api.js";
import { at, make, show } from "./dom.js";
import { ago, since } from "./words.js";

// Seconds after which an index that nobody keeps is old.
const OLD = 86400;
// Milliseconds between two looks at what the index says, and at whether the server is there; and until no answer is none.
const BETWEEN = 30000;
const KNOCKS = 4000;
const LATE = 10000;

let lost = false;
let drawn = 0;

function leave() {
  token.set("");
  location.assign("/");
}

function drawLost(now) {
  if (now !== lost) {
    lost = now;
    show(at("lost"), lost && make("p", { class: "told bad" }, "No connection to the server: what stands here may be old. The page tries it again every few seconds."));
    lost ? show(at("freshness")) : drawStatus();
  }
}

// Keeps all of it as it is, as long as the page is seen.
export function watchStatus() {
  reach.addEventListener("lost", () => drawLost(true));
  reach.addEventListener("answered", () => drawLost(false));
  const look = () => {
    if (document.visibilityState === "visible") {
      Date.now() - drawn < BETWEEN ? knock(LATE) : drawStatus();
    }
  };
  document.addEventListener("visibilitychange", look);
  setInterval(look, KNOCKS);
  drawStatus();
}

// Draws how old the index is, and the button that forgets a token.
export async function drawStatus() {
  drawn = Date.now();
  try {
    const status = await get("status");
    const oldest = status.sources.map((source) => source.readings?.instances?.at).filter((time) => time).sort()[0];
    const watched = (status.live ?? []).some((one) => one.ready && !one.standby && !one.gone);
    const old = oldest && since(oldest) > OLD && !watched;
    show(at("freshness"), (oldest || watched) && make("span", { class: `dot ${old ? "old" : "fresh"}`, "aria-hidden": "true" }), watched ? "Watched live" : oldest ? `Index read ${ago(oldest)}` : "");
    show(at("leave"), token.get() && make("button", { type: "button", class: "quiet", onclick: leave }, "Forget token"));
  } catch {
    // What the server refuses is told where it was asked for.
    show(at("freshness"));
    show(at("leave"));
  }
}
