/** So many are kept in order while the texts are gone through; more are sorted once: to insert each would be quadratic. */
const MOST_INSERTED = 256;

/** The numbers of the `top` best of those that count, best first; `before` decides between equals, so that their order in the index does not. */
export function bestTexts(
  scores: Float32Array,
  top: number,
  counts: (text: number) => boolean,
  before: (one: number, other: number) => number,
): number[] {
  const best: number[] = [];
  const order = (one: number, other: number): number => scores[other]! - scores[one]! || before(one, other) || one - other;
  if (top > MOST_INSERTED) {
    for (let text = 0; text < scores.length; text++) if (counts(text)) best.push(text);
    return best.sort(order).slice(0, top);
  }
  for (let text = 0; text < scores.length; text++) {
    const last = best[top - 1];
    if (last !== undefined && scores[text]! < scores[last]!) continue;
    if (!counts(text) || (last !== undefined && order(text, last) > 0)) continue;
    best.splice(placeOf(text, best, order), 0, text);
    if (best.length > top) best.pop();
  }
  return best;
}

function placeOf(text: number, best: readonly number[], order: (one: number, other: number) => number): number {
  let low = 0;
  let high = best.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (order(best[middle]!, text) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
