/** How a text fared that nobody has learnt from. */
export interface Outcome {
  readonly score: number;
  /** Its best class is its own; undefined for a text of no class. */
  readonly isRight: boolean | undefined;
}

/** The share of texts with a class that may fall below, where nothing is known of those without. */
const MAY_FALL = 0.1;
/** What a text of none below counts beside a right class above: texts that stand in for those of none are nearer than most that come. Measured on CLINC150. */
const OUTSIDE = 0.75;

/** Where texts of a class and texts of none are parted best: right classes above it and texts of none below, each as a share of their kind. In the middle of the gap. */
export function bestCut(outcomes: readonly Outcome[]): number {
  const ordered = outcomes.toSorted((one, other) => one.score - other.score);
  const inside = outcomes.filter(({ isRight }) => isRight !== undefined).length;
  const outside = outcomes.length - inside;
  if (outside === 0) return ordered[Math.floor(MAY_FALL * inside)]?.score ?? 0;
  let right = outcomes.filter(({ isRight }) => isRight).length;
  let below = 0;
  let best = -Infinity;
  let cut = 0;
  for (const [place, { score, isRight }] of ordered.entries()) {
    const value = right / Math.max(inside, 1) + (OUTSIDE * below) / outside;
    if (value > best && score !== ordered[place - 1]?.score) {
      best = value;
      cut = (score + (ordered[place - 1]?.score ?? score)) / 2;
    }
    if (isRight) right -= 1;
    else if (isRight === undefined) below += 1;
  }
  return cut;
}
