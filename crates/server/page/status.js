// How old the index is, and whether a token is in use: the right end of the bar.

import { get, token } from "./api.js";
import { at, make, show } from "./dom.js";
import { ago, since } from "./words.js";

// Seconds after which an index that nobody keeps is old.
const OLD = 86400;

function leave() {
  token.set("");
  location.assign("/");
}

// Draws both.
export async function drawStatus() {
  try {
    const status = await get("status");
    const oldest = status.sources.map((source) => source.readings?.instances?.at).filter((time) => time).sort()[0];
    const watched = (status.live ?? []).some((one) => one.ready && !one.standby);
    const old = oldest && since(oldest) > OLD && !watched;
    show(at("freshness"), (oldest || watched) && make("span", { class: `dot ${old ? "old" : "fresh"}`, "aria-hidden": "true" }), watched ? "Watched live" : oldest ? `Index read ${ago(oldest)}` : "");
    show(at("leave"), token.get() && make("button", { type: "button", class: "quiet", onclick: leave }, "Forget token"));
  } catch {
    // What the server refuses is told where it was asked for.
    show(at("freshness"));
    show(at("leave"));
  }
}
