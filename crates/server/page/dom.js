// Elements are made by calls, and text is only ever text: nothing that a cluster says can become markup. Nor can it turn around or hide
// what stands beside it: characters that do are written as `\u{202e}`, as the command line writes them.

const SVG = "http://www.w3.org/2000/svg";

// Controls, and what is not seen; a selector behind a symbol only chooses how it looks.
const DECEIVING = /(?<![\u2000-\u{10ffff}])[\ufe0e\ufe0f]|(?![\ufe0e\ufe0f])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

// A text with nothing in it that deceives.
export function visible(text) {
  return text.replace(DECEIVING, (character) => `\\u{${character.codePointAt(0).toString(16)}}`);
}

function filled(element, properties, children) {
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) {
      continue;
    }
    if (name.startsWith("on")) {
      element.addEventListener(name.slice(2), value);
    } else if (value === true) {
      element.setAttribute(name, "");
    } else {
      element.setAttribute(name, visible(String(value)));
    }
  }
  const given = children.flat(Infinity).filter((child) => child !== undefined && child !== null && child !== false);
  element.append(...given.map((child) => (child instanceof Node ? child : visible(String(child)))));
  return element;
}

// An element: `make("a", { href, onclick }, "text", child)`. A property that is undefined, null or false is left out.
export function make(tag, properties = {}, ...children) {
  return filled(document.createElement(tag), properties, children);
}

// An element of a drawing.
export function draw(tag, properties = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), properties, children);
}

// Puts these children in the place of those that are there.
export function show(parent, ...children) {
  const given = children.flat(Infinity).filter((child) => child);
  parent.replaceChildren(...given.map((child) => (child instanceof Node ? child : visible(child))));
}

// The element of the page that has this id.
export function at(id) {
  return document.getElementById(id);
}
