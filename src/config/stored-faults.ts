import type { Problem } from '../core/contracts/resource.ts';
import type { MergedConfig } from './merge.ts';
import { extensionFaults, providerFaults, type Known } from './reading/extension-checks.ts';
import { below, type Fault } from './reading/yaml-file.ts';

/**
 * What providers and routes of the store say about extensions that is not so; those of files are checked with their files. Pointers are
 * `/providers/NAME/…` and `/models/NAME/…`.
 */
export function storedFaults({ config, origin }: MergedConfig, known: Known): Problem[] {
  const providers = Object.entries(config.providers ?? {}).filter(([name]) => origin('providers', name) === 'store');
  const routes = (config.models ?? []).filter(({ name }) => name !== undefined && origin('models', name) === 'store');
  const policies = routes.flatMap(({ name, policies: uses = [] }) =>
    uses.flatMap((use, index): Fault[] => {
      const pointer = below(below('/models', name ?? ''), 'policies');
      return extensionFaults('policy', use.name, use.options, { pointer: below(pointer, index), key: use.name }, known);
    }),
  );
  return [...providerFaults(Object.fromEntries(providers), known), ...policies].map(({ code, message, pointer, key }) => ({
    code,
    severity: 'error',
    message,
    pointer: key === undefined ? pointer : below(pointer, key),
  }));
}
