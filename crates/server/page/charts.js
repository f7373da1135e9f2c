// Drawings of numbers. Each mark is a link to the search for what it stands for.

import { draw, make } from "./dom.js";

// The least sides of a tile, in pixels: a name and a number are read there, and it can be hit. A name is read by so many of its letters.
const LEAST_HEIGHT = 44;
const LETTERS = 9;
const LETTER = 8;
const EDGES = 20;

// Bars of `{ name, count, href, hue }`, the longest first.
export function bars(rows) {
  const most = Math.max(1, ...rows.map((row) => row.count));
  const bar = ({ name, count, href, hue, title }) => {
    const fill = draw("rect", { x: 0, y: 0, height: 8, width: Math.max(1, (count / most) * 100), rx: 1, class: hue ?? "" });
    const drawn = draw("svg", { class: "line", viewBox: "0 0 100 8", preserveAspectRatio: "none", "aria-hidden": "true" }, fill);
    const inside = [make("span", { class: "label", title: title ?? name }, name), drawn, make("span", { class: "number" }, count.toLocaleString("en"))];
    return make("li", {}, href ? make("a", { href, "data-go": true }, inside) : make("span", { class: "row" }, inside));
  };
  return make("ul", { class: "bars" }, rows.map(bar));
}

// Tiles whose areas are the counts, as squarified treemaps have them (Bruls, Huizing and van Wijk, 2000), of rows that begin with the
// largest. `width` and `height` are the sides of the whole, in pixels. `rest` are the rows that have no tile: the smallest, as many as it
// takes for the other ones to be large enough.
export function tiles(rows, width, height) {
  let shown = rows.length;
  let placed = laid(rows, width, height);
  while (shown > 1 && !placed.every(isLarge)) {
    shown -= 1;
    placed = laid(rows.slice(0, shown), width, height);
  }
  const tile = ({ row, x, y, width: w, height: h }) => {
    const inside = [make("span", { class: "label" }, row.name), make("span", { class: "number" }, row.count.toLocaleString("en"))];
    const made = make("a", { class: `tile ${row.hue ?? ""}`, href: row.href, "data-go": true, title: `${row.name}: ${row.count}` }, inside);
    const percent = (part, whole) => `${(part / whole) * 100}%`;
    Object.assign(made.style, { left: percent(x, width), top: percent(y, height), width: percent(w, width), height: percent(h, height) });
    return make("li", {}, made);
  };
  return { drawn: make("ul", { class: "tiles" }, placed.map(tile)), rest: rows.slice(shown) };
}

function laid(rows, width, height) {
  const area = (width * height) / Math.max(1, rows.reduce((sum, row) => sum + row.count, 0));
  return squarified(rows.map((row) => ({ row, area: row.count * area })), { x: 0, y: 0, width, height });
}

function isLarge({ row, width, height }) {
  return height >= LEAST_HEIGHT && width >= Math.min(row.name.length, LETTERS) * LETTER + EDGES;
}

function squarified(items, free) {
  const placed = [];
  let { x, y, width, height } = free;
  let rest = items;
  while (rest.length > 0) {
    const side = Math.min(width, height);
    let taken = 1;
    while (taken < rest.length && worst(rest.slice(0, taken + 1), side) <= worst(rest.slice(0, taken), side)) {
      taken += 1;
    }
    const row = rest.slice(0, taken);
    rest = rest.slice(taken);
    const sum = row.reduce((all, item) => all + item.area, 0);
    const across = side > 0 ? sum / side : 0;
    let along = 0;
    for (const item of row) {
      const length = across > 0 ? item.area / across : 0;
      placed.push(width >= height ? { row: item.row, x, y: y + along, width: across, height: length } : { row: item.row, x: x + along, y, width: length, height: across });
      along += length;
    }
    [x, y, width, height] = width >= height ? [x + across, y, width - across, height] : [x, y + across, width, height - across];
  }
  return placed;
}

// The worst ratio of the sides in a row along a side.
function worst(row, side) {
  const areas = row.map((item) => item.area);
  const sum = areas.reduce((all, area) => all + area, 0);
  return Math.max((side * side * Math.max(...areas)) / (sum * sum), (sum * sum) / (side * side * Math.min(...areas)));
}

const AXIS = [[60, "1 min"], [3600, "1 h"], [86400, "1 day"], [604800, "1 week"]];
const OLDEST = 2592000;

// How long ago, from left (now) to right (a month), on a logarithmic scale.
export function agesAxis(ages) {
  const place = (seconds) => (Math.log1p(Math.min(seconds, OLDEST)) / Math.log1p(OLDEST)) * 300 + 10;
  const ticks = [[0, "now"], ...AXIS].map(([seconds, text]) => [
    draw("path", { d: `M${place(seconds)} 8v8`, class: "tick" }),
    draw("text", { x: place(seconds), y: 29, class: "tick-text", "text-anchor": seconds === 0 ? "start" : "middle" }, text),
  ]);
  const dots = ages.map((seconds) => draw("circle", { cx: place(seconds), cy: 12, r: 5, class: seconds > 86400 ? "old" : "fresh" }));
  return draw("svg", { class: "axis", viewBox: "0 0 330 34", "aria-hidden": "true" }, draw("path", { d: "M10 12H320", class: "tick" }), ticks, dots);
}

// What happened in each of the last `hours` hours, the newest at the right. `times` are seconds ago.
export function hours(times, number) {
  const counts = Array.from({ length: number }, () => 0);
  for (const seconds of times) {
    const hour = Math.floor(seconds / 3600);
    if (hour < number) {
      counts[number - 1 - hour] += 1;
    }
  }
  const most = Math.max(1, ...counts);
  const bar = (count, at) => {
    const height = count === 0 ? 1 : Math.max(3, (count / most) * 48);
    return draw("rect", { x: at * 10 + 1, y: 50 - height, width: 8, height, rx: 1, class: count === 0 ? "none" : "some" });
  };
  return draw("svg", { class: "hours", viewBox: `0 0 ${number * 10} 50`, preserveAspectRatio: "none", "aria-hidden": "true" }, counts.map(bar));
}
