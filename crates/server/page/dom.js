// Elements are made by calls, and text is only ever text: nothing that a cluster says can become markup.

const SVG = "http://www.w3.org/2000/svg";

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
      element.setAttribute(name, String(value));
    }
  }
  // What is no element is text.
  element.append(...children.flat(Infinity).filter((child) => child !== undefined && child !== null && child !== false));
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
  parent.replaceChildren(...children.flat(Infinity).filter((child) => child));
}

// The element of the page that has this id.
export function at(id) {
  return document.getElementById(id);
}
