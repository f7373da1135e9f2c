// Copying, and saying so.

import { at, make, visible } from "./dom.js";

let hiding = 0;

// Says something for a moment, aloud too.
export function say(text) {
  const said = at("said");
  said.textContent = visible(text);
  clearTimeout(hiding);
  hiding = setTimeout(() => (said.textContent = ""), 2500);
}

// Copies a text. Without a secure connection browsers have only the old way.
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const before = document.activeElement;
    const area = make("textarea", { class: "away", "aria-hidden": "true" });
    // Copied as it is.
    area.value = text;
    document.body.append(area);
    area.select();
    const copied = document.execCommand("copy");
    area.remove();
    before?.focus({ preventScroll: true });
    if (!copied) {
      say("The browser does not let the page copy; select the text instead.");
      return;
    }
  }
  say(`Copied: ${text}`);
}

// A command with a button that copies it.
export function command(text) {
  return make("div", { class: "command" }, make("code", {}, text), make("button", { type: "button", class: "quiet", "aria-label": `Copy ${text}`, onclick: () => copy(text) }, "Copy"));
}
