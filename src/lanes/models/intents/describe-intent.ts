import type { FoundIntent } from './intent-finder.ts';

/** What was found, for the record, the header and for people: `billing 0.83 (threshold 0.61), coding 0.12, by linear with hubgate-static-en@2 in 1 ms`. No texts. */
export function describeIntent({ verdict, reason, tookMs }: FoundIntent, isShadow: boolean): string {
  const shadow = isShadow ? ' (shadow: no route is taken by it)' : '';
  if (verdict === undefined) return `unknown: ${reason}${shadow}`;
  const { name, scores, scorer, model } = verdict;
  const [best, ...others] = scores.map((one) => `${one.name} ${one.score.toFixed(2)}`);
  const threshold = scores[0]?.threshold.toFixed(2);
  const told = name === undefined ? `none: ${best} (below ${threshold})` : `${best} (threshold ${threshold})`;
  const by = `by ${scorer} with ${model ?? 'words alone'} in ${Math.round(tookMs)} ms`;
  return `${[told, ...others.slice(0, 2), by].join(', ')}${shadow}`;
}
