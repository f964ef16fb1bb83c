import { nearest } from '../config/reading/nearest.ts';

/** Names that a person reads in a sentence. */
const MOST_SHOWN = 10;

/** Says that a name names nothing, and what was most likely meant, else what there is. */
export function unknown(what: string, name: string, known: readonly string[]): string {
  const missing = `There is no ${what} "${name}".`;
  const meant = nearest(name, known);
  if (meant !== undefined) return `${missing} Did you mean "${meant}"?`;
  if (known.length === 0) return missing;
  const more = known.length > MOST_SHOWN ? ` and ${known.length - MOST_SHOWN} more` : '';
  return `${missing} There are ${known.slice(0, MOST_SHOWN).join(', ')}${more}.`;
}
