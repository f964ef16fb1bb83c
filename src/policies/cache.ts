import { compileGlob } from '../core/conditions.ts';
import { definePolicy } from '../core/contracts/policy.ts';
import { cacheHooks } from './_cache-hooks.ts';
import type { CachedCall, CachedLane } from './_cache-key.ts';
import { KEEPING_OPTIONS, readKeeping, type KeepingOptions } from './_cache-settings.ts';

export interface CacheOptions extends KeepingOptions {
  readonly tools?: boolean | readonly string[];
}

/** Answers a call with what an equal one got before, and calls that are equal at the same time with what the first of them gets. */
export default definePolicy<CacheOptions, CachedLane>({
  name: 'cache',
  stage: 'cache',
  lanes: ['models', 'tools'],
  options: {
    type: 'object',
    additionalProperties: false,
    properties: {
      ttl: KEEPING_OPTIONS.ttl,
      scope: KEEPING_OPTIONS.scope,
      tools: {
        type: ['boolean', 'array'],
        items: { type: 'string', minLength: 1 },
        description:
          'Results of tools that are annotated as read-only are kept too: of all of them, or of those whose names match one of these globs. Default: false.',
      },
      maxSize: KEEPING_OPTIONS.maxSize,
    },
  },
  create(options, { state }) {
    const takes = takenTools(options.tools);
    return cacheHooks({ ...readKeeping(options), state, concerns: (call) => isConcerned(call, takes) });
  },
});

/** Whether results of the tool of this name are kept. */
function takenTools(tools: CacheOptions['tools'] = false): (tool: string) => boolean {
  if (typeof tools === 'boolean') return () => tools;
  const globs = tools.map(compileGlob);
  return (name) => globs.some((glob) => glob(name));
}

function isConcerned(call: CachedCall, takes: (tool: string) => boolean): boolean {
  if (call.lane === 'models') return call.operation !== 'models';
  const { tool } = call.input;
  return call.operation === 'tools/call' && tool?.definition.annotations?.readOnlyHint === true && takes(tool.name);
}
