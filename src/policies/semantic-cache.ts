import { definePolicy } from '../core/contracts/policy.ts';
import { AskedBefore } from './_cache-asked.ts';
import { cacheHooks } from './_cache-hooks.ts';
import type { CachedLane } from './_cache-key.ts';
import { likeAnswers } from './_cache-others.ts';
import { KEEPING_OPTIONS, readKeeping, type KeepingOptions } from './_cache-settings.ts';

export interface SemanticCacheOptions extends KeepingOptions {
  readonly threshold?: number;
  readonly model?: string;
  readonly maxEntries?: number;
}

const MAX_ENTRIES = 1_000;
const OPERATIONS = new Set(['chat', 'responses', 'messages']);

/** As `cache`, and answers a call whose last message asks in other words what an answered one asked, when all else is equal. */
export default definePolicy<SemanticCacheOptions, CachedLane>({
  name: 'semantic-cache',
  stage: 'cache',
  lanes: ['models'],
  options: {
    type: 'object',
    additionalProperties: false,
    properties: {
      ...KEEPING_OPTIONS,
      threshold: {
        type: 'number',
        minimum: 0.5,
        maximum: 1,
        description: 'The cosine at and above which two questions may share an answer. Default: what was measured for the model.',
      },
      model: { type: 'string', minLength: 1, description: 'The model of embeddings, as embedding.model takes it. Default: that one.' },
      maxEntries: {
        type: 'integer',
        minimum: 1,
        maximum: 2_000,
        description: `How many questions are compared that differ in nothing but their last message. Default: ${MAX_ENTRIES}.`,
      },
    },
  },
  create({ threshold, model, maxEntries = MAX_ENTRIES, ...options }, { place, state, semantics, now, log, shared }) {
    const keeping = readKeeping(options);
    const before = shared('asked', () => new AskedBefore());
    return cacheHooks({
      ...keeping,
      state,
      concerns: (call) => call.lane === 'models' && OPERATIONS.has(call.operation),
      others: likeAnswers({ ...keeping, before, place, semantics, model, threshold, maxEntries, now, log }),
    });
  },
});
