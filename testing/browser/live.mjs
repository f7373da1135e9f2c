// Drives the page over a server that watches a cluster, and asserts what only such a one has. Reads on standard input:
//   { "browser": "chromium", "open": ADDRESS, "pod": ID, "gone": NAME }
// `pod` is a pod that waits for a node; it was labelled while the cluster was watched, and a ConfigMap `gone` deleted.

import assert from "node:assert/strict";
import { text as whole } from "node:stream/consumers";

import { Watched, launch } from "./browsers.mjs";

const given = JSON.parse(await whole(process.stdin));
const browser = await launch(given.browser);
const name = given.pod.split("/").at(-1);

try {
  const watched = await Watched.open(browser, given.open);
  await watched.until(() => document.getElementById("freshness").textContent.includes("Watched live"));
  await watched.until(() => document.querySelectorAll(".lately .hours rect.some").length > 0 && document.querySelector(".clusters"));
  assert.match(await watched.text(".clusters"), /objects · watched/);
  console.log("ok: the overview tells that the cluster is watched, and what changed");

  // What metadata cannot say is asked of the cluster when typing has come to rest.
  await watched.type("pods that are pending");
  await watched.until((name) => document.querySelector("#hits .live")?.textContent.includes("Pending") && document.querySelector("#hits .name").textContent === name, name);
  assert.match(await watched.text("#told"), /Looked at the cluster for “pending”/);
  console.log("ok: a hit tells what the cluster says of it now");

  await watched.page.keyboard.press("Enter");
  await watched.until(() => document.querySelector("#details .changes li") && document.querySelector("#details .command"));
  const details = await watched.text("#details");
  assert.match(details, /Now, as the cluster prints it[\s\S]*Status\s+Pending/);
  assert.match(details, /labels changed/);
  console.log("ok: details have the cluster's own columns, and what happened");

  await watched.type("what was deleted today");
  await watched.until((gone) => document.querySelector("#happened .changes")?.innerText.includes(`ConfigMap ${gone} deleted`), given.gone);
  assert.equal(await watched.text("#told"), "");
  console.log("ok: a question for what happened is answered from the journal");

  await watched.go(`/?view=ask&q=${encodeURIComponent(`why is pod ${name} pending?`)}`);
  await watched.until(() => document.querySelector(".turn .finding"));
  assert.match(await watched.text(".turn"), new RegExp(`Looking into Pod ${name}[\\s\\S]*Pod ${name}: `));
  console.log("ok: a question for a cause is looked into, step by step");
  assert.deepEqual(await watched.wrong(), []);
} finally {
  await browser.close();
}
