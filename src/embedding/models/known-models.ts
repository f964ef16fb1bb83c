import type { ModelTraits } from './model-traits.ts';

/** Of a model that nothing is known of: as most sentence models were trained, and as strict as can be where nothing was measured. */
export const PLAIN: ModelTraits = { pooling: 'mean', queryPrefix: '', documentPrefix: '', weight: 0.6, sameRequest: 0.97 };

const BGE: ModelTraits = {
  ...PLAIN,
  pooling: 'cls',
  queryPrefix: 'Represent this sentence for searching relevant passages: ',
  weight: 0.7,
};
const E5: ModelTraits = { ...PLAIN, queryPrefix: 'query: ', documentPrefix: 'passage: ', weight: 0.7 };
const TRANSFORMER: ModelTraits = { ...PLAIN, weight: 0.7 };

/** By the name of the folder, best first: `auto` takes the first that is there. Weights are measured for the first and the last (embeddings.md section 4). */
const KNOWN: ReadonlyMap<string, ModelTraits> = new Map([
  ['all-minilm-l6-v2', { ...TRANSFORMER, sameRequest: 0.96 }],
  ['all-minilm-l12-v2', TRANSFORMER],
  ['bge-small-en-v1.5', BGE],
  ['bge-base-en-v1.5', BGE],
  ['gte-small', TRANSFORMER],
  ['gte-base', TRANSFORMER],
  ['e5-small-v2', E5],
  ['e5-base-v2', E5],
  ['multilingual-e5-small', E5],
  ['multilingual-e5-base', E5],
  ['paraphrase-multilingual-minilm-l12-v2', TRANSFORMER],
  ['snowflake-arctic-embed-s', BGE],
  ['hubgate-static-en', PLAIN],
]);

/** Undefined for a name that is not known. Case does not matter. */
export function knownTraits(name: string): ModelTraits | undefined {
  return KNOWN.get(name.toLowerCase());
}

/** Known ones by preference, then the others by name. */
export function byPreference(names: readonly string[]): string[] {
  const order = [...KNOWN.keys()];
  const rank = (name: string): number => {
    const at = order.indexOf(name.toLowerCase());
    return at === -1 ? order.length : at;
  };
  return names.toSorted((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
}
