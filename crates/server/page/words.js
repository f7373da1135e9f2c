// Times and numbers in words, and what things are called.

export const NOWHERE = "_cluster";
// How the API calls the group of what has none.
export const NONE = "(none)";

const UNITS = [["y", 31536000], ["mo", 2592000], ["d", 86400], ["h", 3600], ["m", 60], ["s", 1]];
const LONG = { y: "year", mo: "month", d: "day", h: "hour", m: "minute", s: "second" };

// `1 object`, `2,345 objects`
export function many(number, one, more = `${one}s`) {
  return `${number.toLocaleString("en")} ${number === 1 ? one : more}`;
}

// Seconds since a time (RFC 3339); null where it is none.
export function since(time) {
  const at = Date.parse(time);
  return Number.isNaN(at) ? null : Math.max(0, (Date.now() - at) / 1000);
}

function largest(seconds) {
  const [unit, size] = UNITS.find(([, size]) => seconds >= size) ?? UNITS[UNITS.length - 1];
  return [Math.floor(seconds / size), unit];
}

// `3d`, as kubectl has it; nothing where the time is unknown.
export function age(time) {
  const seconds = since(time);
  return seconds === null ? "" : largest(seconds).join("");
}

// `3 days ago`
export function ago(time) {
  const seconds = since(time);
  if (seconds === null) {
    return "at an unknown time";
  }
  if (seconds < 5) {
    return "just now";
  }
  const [number, unit] = largest(seconds);
  return `${many(number, LONG[unit])} ago`;
}

// A reason without the numbers of the ranking.
export function phrase(reason) {
  const words = reason.replace(/ \(?-?\d\.\d+\)?$/, "");
  return words === "meaning" ? "close in meaning" : words;
}

// A kind has one colour everywhere; there are ten of them.
export function hue(kind) {
  let hash = 7;
  for (const letter of kind) {
    hash = (hash * 31 + letter.codePointAt(0)) % 99991;
  }
  return `hue-${hash % 10}`;
}

// Where an object lives, in words.
export function place(namespace, cluster) {
  const inside = namespace === undefined || namespace === NOWHERE ? "no namespace" : namespace;
  return cluster ? `${cluster} / ${inside}` : inside;
}

// Namespace, version, kind and name of a stored id: `cluster:namespace/group/version/kind/name`.
export function parts(id) {
  const [head, ...rest] = id.split("/");
  const colon = head.lastIndexOf(":");
  const [kind, name] = rest.slice(-2);
  return { cluster: head.slice(0, Math.max(colon, 0)), namespace: head.slice(colon + 1), kind: kind ?? id, name: name ?? id };
}
