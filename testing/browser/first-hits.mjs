// Measures how long the page takes from the last key to the first hits. Reads on standard input:
//   { "browser": "chromium", "open": ADDRESS, "questions": [TEXT…] }
// Prints milliseconds as a JSON list, one for each question that has hits: from the event of its last key until they are painted.

import { text as whole } from "node:stream/consumers";

import { Watched, launch } from "./browsers.mjs";

const given = JSON.parse(await whole(process.stdin));
const browser = await launch(given.browser);
const took = [];

try {
  const watched = await Watched.open(browser, given.open);
  await watched.page.evaluate(() => {
    document.getElementById("q").addEventListener("input", (event) => {
      // When the key was pressed, not when its turn came.
      window.lastKey = event.timeStamp;
      window.painted = null;
    });
    new MutationObserver(() => {
      const list = document.getElementById("hits");
      if (list.dataset.of === location.pathname + location.search && window.painted === null) {
        // The second frame begins when the first is painted.
        requestAnimationFrame(() => requestAnimationFrame(() => (window.painted = performance.now() - window.lastKey)));
      }
    }).observe(document.getElementById("hits"), { attributes: true, attributeFilter: ["data-of"], childList: true });
  });
  for (const question of given.questions) {
    await watched.type(question);
    // Waited for in the page: what looks from outside takes its time.
    const [painted, hits] = await watched.page.evaluate((question) => new Promise((done) => {
      const look = () => {
        const asked = new URLSearchParams(location.search).get("q");
        window.painted !== null && asked === question ? done([window.painted, document.getElementById("hits").children.length]) : setTimeout(look, 10);
      };
      look();
    }), question);
    if (hits > 0) {
      took.push(painted);
    }
  }
  console.log(JSON.stringify(took));
} finally {
  await browser.close();
}
