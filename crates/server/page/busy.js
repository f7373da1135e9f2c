// What takes longer than a moment is said to be under way.

const MOMENT = 300;
// The last wait of each region.
const waits = new WeakMap();

// A region waits for an answer: who hears the page is told so, and `say` says it where the answer takes longer. What is given back ends
// the wait, unless a later one has begun.
export function busy(region, say) {
  const saying = setTimeout(say, MOMENT);
  region.setAttribute("aria-busy", "true");
  waits.set(region, saying);
  return () => {
    clearTimeout(saying);
    if (waits.get(region) === saying) {
      region.removeAttribute("aria-busy");
    }
  };
}
