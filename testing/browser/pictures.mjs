// Takes pictures of the page. Reads on standard input: { "browser": "chromium", "open": ADDRESS, "into": FOLDER }.

import { text as whole } from "node:stream/consumers";

import { Watched, launch } from "./browsers.mjs";

const given = JSON.parse(await whole(process.stdin));
const browser = await launch(given.browser);

// Name, sides, look, address, and what has to be there.
const PICTURES = [
  ["overview", 1280, 820, "light", "/", ".tiles a"],
  ["search", 1280, 760, "dark", "/?q=what+databases+are+running", "#hits li"],
  ["details", 1280, 820, "light", "/?q=what+takes+payments", "#hits li"],
  ["ask", 1280, 700, "light", "/?view=ask&q=what+databases+are+running%3F", ".turn .sentences p"],
  ["phone", 360, 740, "dark", "/?q=databases&kind=StatefulSet", "#hits li"],
];

for (const [name, width, height, look, path, there] of PICTURES) {
  const watched = await Watched.open(browser, given.open);
  await watched.page.setViewport({ width, height });
  await watched.page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: look }]);
  await watched.go(path);
  await watched.until((there) => document.querySelector(there), there);
  if (name === "details") {
    await watched.page.click("#hits li");
    await watched.until(() => document.querySelector("#details .similar, #details .tree") && document.querySelector("#details .command"));
  }
  if (name === "ask") {
    await watched.type("which of them are stateful sets?");
    await watched.page.keyboard.press("Enter");
    await watched.until(() => document.querySelectorAll(".turn .sentences").length === 2);
  }
  // No cursor that blinks, and nothing half faded.
  await watched.page.evaluate(() => Promise.all([document.activeElement.blur(), ...document.getAnimations().map((animation) => animation.finished)]));
  await watched.page.screenshot({ path: `${given.into}/${name}.png` });
  await watched.page.close();
}
await browser.close();
