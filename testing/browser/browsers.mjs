// Real browsers, and what a page in one of them did that it must not do.

import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

// Where testing/browser/build put what drives them.
const installed = createRequire(`${process.env.CLUSTERLORE_BROWSER}/package.json`);
const { default: puppeteer } = await import(pathToFileURL(installed.resolve("puppeteer-core")).href);
export const axe = installed.resolve("axe-core/axe.min.js");

// Chromium's sandbox is not there for root.
const ROOT = process.getuid?.() === 0 ? ["--no-sandbox"] : [];

// Milliseconds for what must come to hold, and between two looks at it.
const PATIENCE = 20000;
const BETWEEN = 20;

// Starts "chromium" or "firefox".
export function launch(browser) {
  return browser === "firefox"
    ? puppeteer.launch({ browser, executablePath: process.env.CLUSTERLORE_FIREFOX ?? "/usr/bin/firefox-esr", headless: true })
    : puppeteer.launch({ executablePath: process.env.CLUSTERLORE_CHROMIUM ?? "/usr/bin/chromium", headless: true, args: [...ROOT, "--disable-gpu", "--disable-dev-shm-usage"] });
}

// A page of a browser at an address, watched: what it asks others for, and what it may not do.
export class Watched {
  constructor(page, base) {
    this.page = page;
    this.base = base;
    this.requests = [];
    this.faults = [];
  }

  static async open(browser, base, path = "/") {
    const page = await browser.newPage();
    const watched = new Watched(page, base);
    await page.setViewport({ width: 1280, height: 860 });
    await page.evaluateOnNewDocument(() => {
      window.violations = [];
      addEventListener("securitypolicyviolation", (event) => window.violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
    });
    page.on("request", (request) => watched.requests.push(request.url()));
    page.on("pageerror", (error) => watched.faults.push(`error: ${error.message}`));
    page.on("console", (message) => message.type() === "error" && !/status of 4\d\d/.test(message.text()) && watched.faults.push(`console: ${message.text()}`));
    await watched.go(path);
    return watched;
  }

  async go(path) {
    await this.page.goto(this.base + path, { waitUntil: "load" });
  }

  // Waits until a function of the page holds. The time is generous: the machine may do other things. Asked anew each time, since puppeteer's
  // own waiting may be lost with the document that a navigation leaves.
  async until(holds, ...args) {
    const began = Date.now();
    let last = "";
    while (Date.now() - began < PATIENCE) {
      try {
        // An element is no answer that every browser sends.
        const handle = await this.page.evaluateHandle(holds, ...args);
        if (await handle.evaluate((answer) => Boolean(answer))) {
          return;
        }
      } catch (error) {
        last = error.message;
      }
      await new Promise((done) => setTimeout(done, BETWEEN));
    }
    throw new Error(`it never held: ${holds} ${JSON.stringify(args)} at ${this.page.url()} ${last}\n${await this.text("body").catch(() => "")}`);
  }

  // Types into the box, in the place of what is there.
  async type(text) {
    await this.page.focus("#q");
    await this.page.evaluate(() => document.getElementById("q").select());
    await this.page.keyboard.press("Backspace");
    await this.page.keyboard.type(text);
  }

  text(selector) {
    return this.page.$eval(selector, (element) => element.innerText);
  }

  // Waits until the list shows the answer to the address.
  async answered() {
    await this.until(() => {
      const list = document.getElementById("hits");
      const asked = (location.pathname + location.search).replace(/[?&]open=[^&]*$/, "");
      return list.dataset.of === asked && !document.getElementById("found").hidden;
    });
  }

  // What it did that it must not do.
  async wrong() {
    const outside = this.requests.filter((url) => !url.startsWith(`${this.base}/`) && !url.startsWith("data:"));
    const violations = await this.page.evaluate(() => window.violations ?? []);
    return [...outside.map((url) => `it asked ${url}`), ...violations.map((text) => `against its policy: ${text}`), ...this.faults];
  }
}
