// Drives the page in a real browser and asserts what it must do. Reads on standard input what is served:
//   { "browser": "chromium" | "firefox", "open": ADDRESS, "guarded": ADDRESS, "token": TOKEN, "namespace": "…", "outside": ID, "hostile": [TEXT…] }
// `guarded` asks for a token; TOKEN shows one namespace of what `open` serves; `outside` is an object elsewhere; `hostile` are names, labels and
// descriptions of objects in the namespace "hostile". Prints a line for each thing that holds, and ends with 1 at the first that does not.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { text as whole } from "node:stream/consumers";

import { Watched, axe, launch } from "./browsers.mjs";

const given = JSON.parse(await whole(process.stdin));
const chromium = given.browser === "chromium";
const browser = await launch(given.browser);
const rules = await readFile(axe, "utf8");
const pages = [];

async function open(path, base = given.open) {
  const watched = await Watched.open(browser, base, path);
  pages.push(watched);
  return watched;
}

// Ids of hits, in their order.
const names = (watched) => watched.page.$$eval("#hits .name", (all) => all.map((one) => one.textContent));
const parameters = (watched) => new URL(watched.page.url()).searchParams;
const focused = (watched) => watched.page.evaluate(() => document.activeElement.id);

// No rule of axe is broken: WCAG 2.2 to level AA, and good practice.
async function accessible(watched, what) {
  await watched.page.evaluate(rules);
  const broken = await watched.page.evaluate(async () => {
    // Colours are looked at when they have come to rest.
    await Promise.all(document.getAnimations().map((animation) => animation.finished.catch(() => {})));
    const found = await window.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] });
    return found.violations.map((rule) => `${rule.id}: ${rule.nodes.map((node) => `${node.target} ${node.failureSummary}`).join("; ")}`);
  });
  assert.deepEqual(broken, [], what);
}

async function fitsIn(watched, width, what) {
  const wide = await watched.page.evaluate(() => [...document.querySelectorAll("body *")].filter((element) => element.getBoundingClientRect().right > innerWidth + 1 && !element.closest("[hidden], .away, details:not([open]) > :not(summary)")).map((element) => `${element.tagName}.${element.className}`));
  const scrolls = await watched.page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
  assert.deepEqual([scrolls, wide], [false, []], `${what} at ${width}`);
}

// Answers of the API whose path holds a text come later by so many milliseconds. As long as `dead` holds no request arrives, and as long as
// `broken` does every answer breaks off.
function slowed(watched, part, milliseconds) {
  return watched.page.evaluate((part, milliseconds) => {
    const real = window.fetch;
    [window.delay, window.dead, window.broken] = [milliseconds, false, false];
    window.fetch = async (url, options) => {
      if (window.dead) {
        throw new TypeError("Failed to fetch");
      }
      if (String(url).startsWith("/api/") && url.includes(part)) {
        await new Promise((done) => setTimeout(done, window.delay));
      }
      if (window.broken && options?.method === "POST") {
        const body = new ReadableStream({ start: (stream) => setTimeout(() => stream.error(new TypeError("network error")), 50) });
        return new Response(body, { headers: { "content-type": "text/event-stream" } });
      }
      return real(url, options);
    };
  }, part, milliseconds);
}

const DATABASES = "what databases are running";
const KIND_OF_ONE = "StatefulSet";

const checks = {
  async "an overview is drawn, and each mark leads to its search"() {
    const watched = await open("/");
    await watched.until(() => document.querySelectorAll(".tiles a").length > 3 && document.querySelectorAll(".kinds .bars a").length > 3);
    const [tile, name] = await watched.page.$eval(".tiles a", (link) => [link.getAttribute("href"), link.querySelector(".label").textContent]);
    assert.equal(tile, `/?ns=${name}`);
    await accessible(watched, "overview");
    await watched.page.click(".tiles a");
    await watched.answered();
    assert.equal(parameters(watched).get("ns"), name);
    assert.match(await watched.text("#chips"), new RegExp(`namespace\\s*${name}`));
    await watched.page.goBack();
    await watched.until(() => !document.getElementById("overview").hidden && location.search === "");
  },

  async "every namespace is reached from the overview at every width, and every tile is read and hit"() {
    const watched = await open("/");
    const namespaces = await watched.page.evaluate(async () => {
      const told = await (await fetch("/api/v1/count?q=everything&groupBy=namespace")).json();
      return told.groups.map((group) => group.name).filter((name) => name !== "(none)").sort();
    });
    assert.ok(namespaces.length > 25, `${namespaces}`);
    for (const width of [1920, 1280, 1000, 901, 900, 768, 600, 480, 360, 320]) {
      // The window changes under a page that is drawn.
      await watched.page.setViewport({ width, height: 740 });
      await watched.until(() => document.querySelector(".tiles")?.clientWidth === document.querySelector(".tiles")?.parentElement.clientWidth && document.querySelector(".tiles a"));
      const [links, cut] = await watched.page.evaluate(async () => {
        await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
        const shown = (label) => (label.clientWidth / label.scrollWidth) * label.textContent.length;
        const labels = [...document.querySelectorAll(".tile .label")];
        const cut = labels.filter((label) => label.clientWidth < label.scrollWidth && shown(label) < 8).map((label) => [label.textContent, label.clientWidth, label.scrollWidth]);
        return [[...document.querySelectorAll(".panel.namespaces a")].map((link) => new URL(link.href).searchParams.get("ns")).sort(), cut];
      });
      assert.deepEqual(links, namespaces, `at ${width}`);
      assert.deepEqual(cut, [], `at ${width}`);
      await fitsIn(watched, width, "overview");
      await accessible(watched, `overview at ${width}`);
    }
  },

  async "it answers while one types, and drops what is stale"() {
    const watched = await open("/");
    // The answers to a part of the question come late: they must not be shown over that to the whole.
    await watched.page.evaluate(() => {
      const real = window.fetch;
      window.asked = [];
      window.aborted = [];
      window.fetch = async (url, options) => {
        const q = new URL(url, location).searchParams.get("q");
        window.asked.push(q);
        options?.signal?.addEventListener("abort", () => window.aborted.push(q));
        if (q === "wha") {
          await new Promise((done) => setTimeout(done, 700));
        }
        return real(url, options);
      };
    });
    await watched.page.focus("#q");
    await watched.page.keyboard.type("wha");
    await new Promise((done) => setTimeout(done, 150));
    await watched.page.keyboard.type("t databases are running");
    await watched.answered();
    await new Promise((done) => setTimeout(done, 900));
    const [asked, aborted] = await watched.page.evaluate(() => [window.asked, window.aborted]);
    assert.ok(asked.includes("wha") && aborted.includes("wha"), `${asked} / ${aborted}`);
    assert.ok(asked.filter((q) => q?.startsWith("wha")).length < DATABASES.length - 3, `${asked}`);
    assert.equal(parameters(watched).get("q"), DATABASES);
    await watched.answered();
    assert.ok((await names(watched)).length > 5);
    const first = await watched.text("#hits li");
    assert.match(first, /in \S+/);
    await watched.until(() => /^20 of \d+ that match, out of \d+ objects/.test(document.getElementById("count").innerText));
    // One step back is where typing began.
    await watched.page.goBack();
    await watched.until(() => location.search === "" && document.getElementById("q").value === "" && !document.getElementById("overview").hidden);
  },

  async "filters are chips: chosen, read from the question, and taken away"() {
    const watched = await open(`/?q=${encodeURIComponent(DATABASES)}`);
    await watched.answered();
    const before = await names(watched);
    // From the hit itself, by a click on its kind.
    await watched.page.evaluate((kind) => [...document.querySelectorAll("#hits .kind")].find((one) => one.textContent === kind).click(), KIND_OF_ONE);
    await watched.until((kind) => new URLSearchParams(location.search).get("kind") === kind, KIND_OF_ONE);
    await watched.answered();
    const kinds = await watched.page.$$eval("#hits .kind", (all) => [...new Set(all.map((one) => one.textContent))]);
    assert.deepEqual(kinds, [KIND_OF_ONE]);
    await watched.page.click('#chips button[aria-label="Remove kind StatefulSet"]');
    await watched.until(() => !location.search.includes("kind"));
    await watched.until((many) => document.querySelectorAll("#hits li").length === many, before.length);
    // From the bars beside the hits.
    await watched.page.click("#among a");
    await watched.until(() => document.querySelectorAll("#chips .chip").length === 1);
    await watched.page.goBack();
    // What the question itself says is one too; taking it away takes its words away.
    await watched.type(`databases in namespace ${given.namespace}`);
    await watched.until(() => document.querySelector("#chips .chip.read"));
    assert.match(await watched.text("#chips .chip.read"), new RegExp(`namespace\\s*${given.namespace}`));
    await accessible(watched, "chips");
    await watched.page.click("#chips .chip.read button");
    await watched.until(() => document.getElementById("q").value === "databases" && !document.querySelector("#chips .chip"));
    const cases = [
      ["databases in namespace shop", "namespace", "shop", "databases"],
      ["shop pods", "namespace", "shop", "pods"],
      ["shopping in the shop namespace", "namespace", "shop", "shopping"],
      ["caches of team payments", "label", "team=payments", "caches"],
      ["tier=backend gateways", "label", "tier=backend", "gateways"],
      ["which deployments send mail", "kind", "deployments.apps", "send mail"],
      ["an ingress", "kind", "ingresses.networking.k8s.io", "an"],
      ["gateway policies", "kind", "networkpolicies.networking.k8s.io", "gateway policies"],
      ["a.b in a.b-c", "namespace", "a.b-c", "a.b"],
    ];
    const left = await watched.page.evaluate(async (cases) => {
      const { without } = await import("/page/chips.js");
      return cases.map(([question, type, value]) => without(question, type, value));
    }, cases);
    assert.deepEqual(left, cases.map((one) => one[3]));
  },

  async "what is told of the whole is of the whole, not of the hits that are shown"() {
    const watched = await open("/?kind=Service");
    await watched.until(() => document.getElementById("count").textContent.startsWith("20 of "));
    const counted = await watched.page.evaluate(async () => (await fetch("/api/v1/count?kind=Service&groupBy=namespace")).json());
    assert.match(await watched.text("#count"), new RegExp(`^20 of ${counted.number} that match, out of ${counted.number} objects under`));
    const bars = (title) => watched.page.evaluate((title) => {
      const section = [...document.querySelectorAll("#among section")].find((section) => section.querySelector("h2").textContent === title);
      return [...section.querySelectorAll("li")].map((row) => [row.querySelector(".label").textContent, Number(row.querySelector(".number").textContent)]);
    }, title);
    assert.deepEqual(await bars("Namespaces"), counted.groups.slice(0, 6).map(({ name, count }) => [name, count]));
    const labelled = await bars("Labels");
    assert.ok(labelled.some(([, count]) => count > 0), `${labelled}`);
    // Each number is that of the search to which it leads.
    const [[name, count]] = await bars("Namespaces");
    await watched.page.evaluate(() => document.querySelector("#among section a").click());
    await watched.until((name) => new URLSearchParams(location.search).get("ns") === name, name);
    await watched.answered();
    assert.equal((await names(watched)).length, count);
    assert.match(await watched.text("#count"), new RegExp(`^${count} hits out of ${count} objects under`));
  },

  async "the keyboard alone is enough"() {
    if (chromium) {
      await browser.defaultBrowserContext().overridePermissions(given.open, ["clipboard-read", "clipboard-write", "clipboard-sanitized-write"]);
    }
    const watched = await open("/");
    await watched.until(() => document.querySelector(".tiles a"));
    await watched.page.evaluate(() => document.activeElement.blur());
    const press = (key) => watched.page.keyboard.press(key);
    await press("/");
    assert.equal(await focused(watched), "q");
    await watched.page.keyboard.type(DATABASES);
    await watched.answered();
    const expanded = await watched.page.$eval("#q", (box) => [box.getAttribute("role"), box.getAttribute("aria-expanded"), box.getAttribute("aria-controls")]);
    assert.deepEqual(expanded, ["combobox", "true", "hits"]);
    await press("ArrowDown");
    await press("ArrowDown");
    await press("ArrowUp");
    const chosen = () => watched.page.evaluate(() => {
      const id = document.getElementById("q").getAttribute("aria-activedescendant");
      return [id, [...document.querySelectorAll("[role=option][aria-selected=true]")].map((option) => option.id)];
    });
    assert.deepEqual(await chosen(), ["hit-0", ["hit-0"]]);
    const name = (await names(watched))[0];
    await press("Enter");
    await watched.until((name) => document.querySelector("#details h2")?.textContent === name && document.querySelector("#details .command"), name);
    assert.equal(await focused(watched), "details");
    await press("c");
    await watched.until(() => document.getElementById("said").textContent.startsWith("Copied: kubectl "));
    if (chromium) {
      const copied = await watched.page.evaluate(() => navigator.clipboard.readText());
      assert.match(copied, new RegExp(`^kubectl .*get .*${name}$`));
    }
    await accessible(watched, "details");
    // The details are walked through by Tab, and every stop shows where it is.
    for (let stop = 0; stop < 4; stop += 1) {
      await press("Tab");
      const shown = await watched.page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
      assert.notEqual(shown, "none");
    }
    await press("Escape");
    await watched.until(() => document.getElementById("details").hidden);
    assert.equal(await focused(watched), "q");
    assert.deepEqual(await chosen(), ["hit-0", ["hit-0"]]);
    assert.equal(await watched.page.$eval("#q", (box) => box.getAttribute("aria-expanded")), "true");
    // The list itself has the same keys.
    await watched.page.focus("#hits");
    await press("End");
    await press("Enter");
    const last = (await names(watched)).at(-1);
    await watched.until((name) => document.querySelector("#details h2")?.textContent === name, last);
    await press("Escape");
    // A letter that is typed is no key of the page.
    await watched.type("c");
    assert.equal(await watched.page.$eval("#q", (box) => box.value), "c");
  },

  async "a link restores what it was taken from, and back and forward go through it"() {
    const watched = await open("/");
    await watched.type(DATABASES);
    await watched.answered();
    await watched.page.click("#hits li");
    await watched.until(() => document.querySelector("#details .command"));
    const link = watched.page.url();
    const other = await open(link.slice(given.open.length));
    await other.until(() => document.querySelector("#details .command") && document.querySelectorAll("#hits li").length > 0);
    assert.equal(await other.text("#details h2"), await watched.text("#details h2"));
    assert.equal(await other.page.$eval("#q", (box) => box.value), DATABASES);
    await watched.page.goBack();
    await watched.until(() => document.getElementById("details").hidden && document.getElementById("q").value !== "");
    await watched.page.goForward();
    await watched.until(() => !document.getElementById("details").hidden);
  },

  async "details tell the family, the changes as far as there are any, and what is alike"() {
    const watched = await open(`/?open=${encodeURIComponent("family/apps/v1/ReplicaSet/web-7d9f")}`);
    await watched.until(() => document.querySelector("#details .tree li li li"));
    const tree = (await watched.text("#details .tree")).split("\n").map((line) => line.trim()).filter((line) => line);
    assert.deepEqual(tree, ["Deployment web", "ReplicaSet web-7d9f", "Pod web-7d9f-a", "Pod web-7d9f-b"]);
    await watched.page.evaluate(() => [...document.querySelectorAll("#details .tree a")].find((link) => link.textContent === "web-7d9f-b").click());
    await watched.until(() => document.querySelector("#details h2").textContent === "web-7d9f-b" && document.querySelector("#details .labels button"));
    await accessible(watched, "a family");
    await watched.page.click("#details .labels button");
    await watched.until(() => new URLSearchParams(location.search).get("label") === "app=web" && document.querySelectorAll("#hits li").length > 0);
  },

  async "where nothing fits it says so, and what to try"() {
    const watched = await open("/?q=mongodb%20backups%20on%20mars");
    await watched.until(() => document.querySelector("#nothing h2"));
    assert.match(await watched.text("#nothing"), /Nothing fits[\s\S]*One of its words: mongodb, backups, mars/);
    await accessible(watched, "nothing");
    await watched.go("/?q=databases%20that%20are%20crashing");
    await watched.until(() => document.querySelector("#told .command"));
    assert.match(await watched.text("#told"), /“crashing” is not in the index, which holds metadata only[\s\S]*kubectl get /);
    await watched.go("/?q=pods%20in%20namespace%20nowhere-at-all");
    await watched.until(() => document.querySelector("#nothing h2"));
    assert.match(await watched.text("#nothing"), /There is no namespace "nowhere-at-all"/);
  },

  async "what the server cannot answer yet is asked again"() {
    const watched = await open("/");
    await watched.page.evaluate(() => {
      const real = window.fetch;
      window.refusals = 0;
      window.fetch = (url, options) => {
        if (!url.includes("/search") || window.refusals === 2) {
          return real(url, options);
        }
        window.refusals += 1;
        const body = JSON.stringify({ status: 503, title: "Service Unavailable", detail: "nothing is indexed yet" });
        return Promise.resolve(new Response(body, { status: 503, headers: { "content-type": "application/problem+json" } }));
      };
    });
    await watched.type("caches");
    await watched.until(() => document.querySelector("#told .warn"));
    assert.match(await watched.text("#told"), /Nothing is indexed yet. The page tries it again by itself/);
    await watched.until(() => document.querySelectorAll("#hits li").length > 0 && !document.querySelector("#told .warn"));
  },

  async "questions are answered in sentences, each going on with the one before"() {
    const watched = await open("/?view=ask");
    await watched.until(() => document.querySelector("#talk .log"));
    const ask = async (question) => {
      const before = await watched.page.$$eval(".turn", (all) => all.length);
      await watched.type(question);
      await watched.page.keyboard.press("Enter");
      await watched.until((before) => document.querySelectorAll(".turn").length === before + 1 && document.querySelector(".turn").querySelector(".sentences p"), before);
      return watched.text(".turn");
    };
    const first = await ask(DATABASES);
    assert.match(first, /Searching the index[\s\S]*\d+ databases/);
    assert.ok(await watched.page.$(".turn .sources a"));
    const next = await ask(`which of them are in ${given.namespace}`);
    assert.match(next, /Asked of the \d+ databases before[\s\S]*databases in/);
    await accessible(watched, "a conversation");
    await watched.page.click(".turn .sources a");
    await watched.until(() => document.querySelector("#details .command"));
    await fitsIn(watched, 1280, "a conversation");
  },

  async "a conversation's link restores it, and a question asked meanwhile waits for its turn"() {
    const watched = await open("/?view=ask");
    await watched.until(() => document.querySelector("#talk .log"));
    const turns = () => watched.page.$$eval(".turn", (all) => all.map((turn) => [turn.querySelector("h2").textContent, turn.querySelector(".sentences")?.innerText ?? ""]).reverse());
    const answered = (number) => watched.until((number) => document.querySelectorAll(".turn .sentences").length === number && !document.querySelector(".turn [aria-busy]"), number);
    await slowed(watched, "talk", 700);
    const asked = [DATABASES, `which of them are in ${given.namespace}`, "only the first"];
    for (const question of asked) {
      await watched.type(question);
      await watched.page.keyboard.press("Enter");
    }
    await watched.until(() => [...document.querySelectorAll(".turn .answer")].filter((answer) => answer.textContent.startsWith("Waits for")).length === 2);
    await answered(3);
    const before = await turns();
    assert.deepEqual(before.map(([question]) => question), asked);
    assert.match(before[1][1], /databases in/);
    assert.deepEqual([parameters(watched).getAll("after"), parameters(watched).get("q")], [asked.slice(0, 2), asked[2]]);
    // Opened from the link, and come back to.
    const link = watched.page.url().slice(given.open.length);
    const other = await open(link);
    await other.until(() => document.querySelectorAll(".turn .sentences").length === 3);
    const restored = await other.page.$$eval(".turn", (all) => all.map((turn) => [turn.querySelector("h2").textContent, turn.querySelector(".sentences").innerText]).reverse());
    assert.deepEqual(restored, before);
    await watched.page.bringToFront();
    await watched.page.click("#to-search");
    await watched.answered();
    await watched.page.click("#to-ask");
    await watched.until(() => !document.getElementById("talk").hidden);
    assert.equal(watched.page.url().slice(given.open.length), link);
    assert.deepEqual(await turns(), before);
    // A source is opened without leaving the conversation.
    await watched.page.click(".turn:last-child .sources a");
    await watched.until(() => !document.getElementById("details").hidden);
    assert.equal(parameters(watched).getAll("after").length, 2);
    await watched.page.goBack();
    await watched.page.goBack();
    await watched.page.goBack();
    await watched.page.goBack();
    await watched.until((question) => new URLSearchParams(location.search).get("q") === question, asked[1]);
    assert.deepEqual(await turns(), before);
    // What cannot be asked now is asked when it can, with what follows it.
    await watched.page.evaluate(() => (window.dead = true));
    for (const question of ["what caches are there", "and in namespace shop"]) {
      await watched.type(question);
      await watched.page.keyboard.press("Enter");
    }
    await watched.until(() => /The server does not answer/.test(document.getElementById("talk").innerText) && /Not asked yet/.test(document.getElementById("talk").innerText));
    await watched.page.evaluate(() => (window.dead = false));
    await answered(5);
    assert.equal((await turns()).length, 5);
    // An address holds the last questions, and says that it may not hold all.
    const many = Array.from({ length: 30 }, (_, at) => ["after", `how many pods are in ${at}`]);
    await watched.go(`/?${new URLSearchParams([["view", "ask"], ...many, ["q", "databases"]])}`);
    await watched.until(() => document.querySelectorAll(".turn").length === 21);
    assert.match(await watched.text("#talk"), /The link holds the last 21 questions/);
    await watched.page.click(".about-talk button");
    await watched.until(() => location.search === "?view=ask" && !document.querySelector(".turn"));
  },

  async "a server that is slow, or gone, is said to be"() {
    const watched = await open("/");
    await watched.until(() => document.querySelector(".tiles a"));
    await slowed(watched, "", 1500);
    const says = (region, text) => watched.until((region, text) => {
      const waiting = document.querySelector(region);
      return waiting.getAttribute("aria-busy") === "true" && waiting.innerText.includes(text);
    }, region, text);
    await watched.type("databases");
    await says("#found", "Looking…");
    await accessible(watched, "a slow search");
    await watched.answered();
    await watched.until(() => !document.querySelector("#found[aria-busy], #found .looking"));
    await watched.page.click(".mark");
    await says("#overview", "Reading what there is…");
    await watched.until(() => document.querySelector(".tiles a") && !document.querySelector("#overview[aria-busy]"));
    await watched.page.click("#to-ask");
    await watched.type("what caches are there");
    await watched.page.keyboard.press("Enter");
    await says(".turn .answer", "Looking…");
    await watched.until(() => document.querySelector(".turn .sentences"));
    // Gone, while nobody asks anything, and come back.
    await watched.page.evaluate(() => [window.delay, window.dead] = [0, true]);
    const began = Date.now();
    await watched.until(() => /No connection to the server/.test(document.getElementById("lost").innerText));
    assert.ok(Date.now() - began < 8000);
    assert.equal(await watched.text("#freshness"), "");
    await accessible(watched, "no connection");
    await watched.page.evaluate(() => (window.dead = false));
    await watched.until(() => document.getElementById("lost").innerText === "" && /Index read|Watched/.test(document.getElementById("freshness").innerText));
    // Gone in the middle of an answer.
    await watched.page.evaluate(() => (window.broken = true));
    await watched.type("what databases are there");
    await watched.page.keyboard.press("Enter");
    await watched.until(() => /No connection to the server/.test(document.getElementById("lost").innerText) && /The server does not answer/.test(document.querySelector(".turn").innerText));
    await watched.page.evaluate(() => (window.broken = false));
    await watched.until(() => document.getElementById("lost").innerText === "" && document.querySelectorAll(".turn .sentences").length === 2);
    // Gone with the next key.
    await watched.page.click("#to-search");
    await watched.page.evaluate(() => (window.dead = true));
    await watched.type("queues");
    await watched.until(() => /The server does not answer/.test(document.getElementById("told").innerText) && document.getElementById("lost").innerText !== "");
    await watched.page.evaluate(() => (window.dead = false));
    await watched.answered();
    // A search comes back whole, without a word of what was.
    await watched.until(() => document.getElementById("lost").innerText === "" && document.querySelectorAll("#hits li").length > 0 && document.getElementById("told").innerText === "");
  },

  async "a filter that the server refuses can be taken away, and what is gone is said to be gone"() {
    const watched = await open("/?q=databases&kind=zzgizmo");
    for (const [path, label] of [["/?q=databases&kind=zzgizmo", "Remove kind zzgizmo"], ["/?q=databases&label=%3D%3Da", "Remove label ==a"]]) {
      await watched.go(path);
      await watched.until(() => document.querySelector("#told .told"));
      await watched.page.click(`#chips button[aria-label="${label}"]`);
      await watched.answered();
      assert.equal(parameters(watched).toString(), "q=databases");
      assert.equal(await watched.text("#told"), "");
    }
    for (const path of ["/?ns=nope", "/?q=databases&ns=nope"]) {
      await watched.go(path);
      await watched.until(() => document.querySelector("#nothing h2"));
      assert.ok((await watched.page.$$("#nothing ul a")).length > 0, path);
    }
    // The mark of a suggestion that wraps stands at its first line.
    await watched.page.setViewport({ width: 320, height: 740 });
    const tops = await watched.page.evaluate(() => {
      const list = document.querySelector("#nothing ul");
      const link = list.querySelector("a");
      link.textContent = "a suggestion of many words ".repeat(4);
      const mark = document.createElement("span");
      mark.textContent = "•";
      Object.assign(mark.style, { display: "inline-block", width: "0" });
      link.before(mark);
      const tops = [mark, link].map((element) => element.getClientRects()[0].top);
      return [link.getBoundingClientRect().height > 40, Math.abs(tops[0] - tops[1]) < 8];
    });
    assert.deepEqual(tops, [true, true]);
    for (const path of ["/?open=shop%2Fv1%2FPod%2Fgone", "/?q=databases&open=shop%2Fv1%2FPod%2Fgone", "/?open=nonsense"]) {
      await watched.go(path);
      await watched.until(() => document.querySelector("#details .told"));
      assert.match(await watched.text("#details .told"), /is not in the index, or not any more/);
      assert.doesNotMatch(await watched.text("body"), /expected an id/);
      assert.equal((await watched.page.$$(".told")).length, 1, path);
    }
    // Buttons keep their words on one line.
    await watched.page.setViewport({ width: 360, height: 740 });
    await watched.go("/?view=ask");
    await watched.until(() => document.querySelector(".about-talk button"));
    const high = await watched.page.$eval(".about-talk button", (button) => button.getBoundingClientRect().height);
    assert.ok(high < 40, `${high}`);
    await fitsIn(watched, 360, "ask");
  },

  async "it fits in 360 pixels, in both looks, and no rule of axe is broken"() {
    const watched = await open("/");
    await watched.page.setViewport({ width: 360, height: 740 });
    const views = { overview: "/", hits: `/?q=${encodeURIComponent(DATABASES)}&ns=${given.namespace}`, details: `/?q=databases&open=${encodeURIComponent("family/v1/Pod/web-7d9f-a")}`, ask: `/?view=ask&q=${encodeURIComponent(DATABASES)}`, hostile: "/?ns=hostile" };
    for (const [name, path] of Object.entries(views)) {
      await watched.go(path);
      await watched.until(() => document.querySelector(".tiles a, #hits li, .turn .sentences p"));
      await watched.until(() => !location.search.includes("open=") || document.querySelector("#details .command"));
      await fitsIn(watched, 360, name);
      const back = () => watched.page.evaluate(() => [getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color].join(" on "));
      await accessible(watched, `${name} at 360, one look`);
      const one = await back();
      await watched.page.evaluate(() => document.getElementById("theme").click());
      assert.notEqual(await back(), one);
      await accessible(watched, `${name} at 360, the other look`);
    }
    if (chromium) {
      for (const value of ["dark", "light"]) {
        await watched.page.emulateMediaFeatures([{ name: "prefers-color-scheme", value }]);
        await watched.page.evaluate(() => localStorage.removeItem("theme"));
        await watched.go("/");
        const [scheme, says] = await watched.page.evaluate(() => [getComputedStyle(document.documentElement).colorScheme, document.getElementById("theme").textContent]);
        assert.deepEqual([scheme, says], [value, value === "dark" ? "Light" : "Dark"]);
      }
      await watched.page.emulateMediaFeatures([{ name: "prefers-reduced-motion", value: "reduce" }]);
      assert.equal(await watched.page.evaluate(() => getComputedStyle(document.getElementById("theme")).transitionDuration), "0s");
    }
  },

  async "what a cluster says is only ever text"() {
    const watched = await open("/?ns=hostile");
    await watched.answered();
    const more = await watched.page.$("#more button");
    await more?.click();
    await watched.until((many) => document.querySelectorAll("#hits li").length === many, given.hostile.length);
    const shown = await watched.text("#hits");
    const seen = (shown, text) => shown.replace(/\s+/g, " ").includes(text.replace(/\s+/g, " ").trim());
    const elements = () => watched.page.evaluate(() => [window.pwned === undefined, [...document.querySelectorAll("main script, main img, main iframe, main object, main style, main form, main marquee, main base, main meta, main link, main b, main [onerror], main [onload], main [onmouseover], main [style*=url]")].map((one) => one.outerHTML)]);
    assert.deepEqual(await elements(), [true, []]);
    const missing = given.hostile.filter((text) => !seen(shown, text));
    assert.deepEqual(missing, []);
    // What turns text around or hides is written out.
    const written = await watched.page.evaluate(async () => {
      const { visible } = await import("/page/dom.js");
      return ["web\u202egpj.exe", "a\u200bb", "x\u0007y\ufe0f", "\u2764\ufe0f é 数"].map(visible);
    });
    assert.deepEqual(written, ["web\\u{202e}gpj.exe", "a\\u{200b}b", "x\\u{7}y\\u{fe0f}", "\u2764\ufe0f é 数"]);
    // Each opened: its label and its description stand there as they are.
    for (let number = 0; number < given.hostile.length; number += 5) {
      await watched.page.evaluate((number) => document.getElementById(`hit-${number}`).click(), number);
      const name = await watched.page.$eval(`#hit-${number} .name`, (one) => one.textContent);
      await watched.until((name) => document.querySelector("#details h2")?.textContent === name && document.querySelector("#details .command"), name);
      assert.deepEqual(await elements(), [true, []]);
    }
    await watched.go("/?view=ask&q=what%20is%20in%20namespace%20hostile");
    await watched.until(() => document.querySelector(".turn .sentences p"));
    assert.deepEqual(await elements(), [true, []]);
    // In an address they are text too.
    const evil = '"><img src=x onerror=window.pwned=1>';
    await watched.go(`/?q=${encodeURIComponent(evil)}&ns=${encodeURIComponent(evil)}&kind=${encodeURIComponent(evil)}&open=${encodeURIComponent(evil)}`);
    await watched.until(() => document.querySelector("#told .told, #nothing h2, #details .told"));
    assert.deepEqual(await elements(), [true, []]);
    // Markup that somebody writes into the page all the same is refused by the policy.
    if (chromium) {
      const refused = await watched.page.evaluate(() => {
        try {
          document.querySelector("main").innerHTML = "<b>x</b>";
          return false;
        } catch {
          return true;
        }
      });
      assert.ok(refused);
      await watched.page.evaluate(() => (window.violations = []));
      watched.faults = [];
    }
  },

  async "whoever is not known is asked for a token, and sees what it shows"() {
    const watched = await open("/", given.guarded);
    const use = async (token) => {
      await watched.until(() => document.getElementById("token").open);
      await watched.page.type("#token-field", token);
      await watched.page.keyboard.press("Enter");
    };
    await watched.until(() => document.getElementById("token").open);
    await accessible(watched, "the token's dialog");
    await use("nobody");
    await watched.until(() => document.getElementById("token-title")?.textContent === "That token was refused");
    await use(given.token);
    await watched.until(() => document.querySelectorAll(".tiles a").length > 0);
    const places = await watched.page.$$eval(".tiles a .label", (all) => all.map((one) => one.textContent));
    assert.deepEqual(places, [given.namespace]);
    await watched.type("databases");
    await watched.answered();
    const inside = await watched.page.$$eval("#hits .place", (all) => [...new Set(all.map((one) => one.textContent.split(" in ")[1]))]);
    assert.deepEqual(inside, [given.namespace]);
    await watched.go(`/?open=${encodeURIComponent(given.outside)}`);
    await watched.until(() => document.querySelector("#details .told"));
    assert.match(await watched.text("#details .told"), /is not in the index/);
    // It is kept for this tab, and nowhere else.
    const kept = await watched.page.evaluate((token) => [sessionStorage.getItem("token") === token, JSON.stringify(localStorage).includes(token), document.cookie, location.href.includes(token)], given.token);
    assert.deepEqual(kept, [true, false, "", false]);
    await watched.page.click("#leave button");
    await watched.until(() => document.getElementById("token").open);
    assert.equal(await watched.page.evaluate(() => sessionStorage.getItem("token")), null);
  },
};

let failed = false;
const only = process.argv[2] ?? "";
for (const [name, check] of Object.entries(checks)) {
  if (!name.includes(only)) {
    continue;
  }
  const began = Date.now();
  try {
    await check();
    for (const watched of pages.splice(0)) {
      assert.deepEqual(await watched.wrong(), []);
      await watched.page.close();
    }
    console.log(`ok (${given.browser}, ${((Date.now() - began) / 1000).toFixed(1)} s): ${name}`);
  } catch (error) {
    failed = true;
    console.log(`FAILED (${given.browser}): ${name}\n${error.stack}`);
    const last = pages.at(-1);
    if (process.env.CLUSTERLORE_PICTURES && last) {
      await last.page.screenshot({ path: `${process.env.CLUSTERLORE_PICTURES}/failed-${given.browser}.png` }).catch(() => {});
    }
    break;
  }
}
await browser.close();
process.exit(failed ? 1 : 0);
