// Asks whoever is not known for a token.

import { token } from "./api.js";
import { at, make, show } from "./dom.js";

// `error` says why; `again` is called when there is a token.
export function askForToken(error, again) {
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
      again();
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
