import type { Problem } from '../core/contracts/resource.ts';
import { isModelPath } from '../core/contracts/semantics.ts';
import type { MergedConfig } from './merge.ts';
import { own } from './reading/checks.ts';
import { extensionFaults, providerFaults, type Known } from './reading/extension-checks.ts';
import { below, type Fault } from './reading/yaml-file.ts';

/** Policies whose option `model` is a model of embeddings. */
const BY_MEANING: readonly string[] = ['semantic-cache', 'tool-selection'];

/**
 * What entries of the store say that is not so, or not theirs to say: of extensions, and of models of embeddings. Those of files are checked with
 * their files. Pointers are `/providers/NAME/…`, `/models/NAME/…` and `/virtual-servers/NAME/…`.
 */
export function storedFaults({ config, virtualServers, origin }: MergedConfig, known: Known): Problem[] {
  const providers = Object.entries(config.providers ?? {}).filter(([name]) => origin('providers', name) === 'store');
  const routes = (config.models ?? []).filter(({ name }) => name !== undefined && origin('models', name) === 'store');
  const policies = routes.flatMap(({ name, policies: uses = [] }) =>
    uses.flatMap((use, index): Fault[] => {
      const at = { pointer: below(below(below('/models', name ?? ''), 'policies'), index), key: use.name };
      const model = BY_MEANING.includes(use.name) ? pathFaults(use.options, below(at.pointer, use.name)) : [];
      return [...extensionFaults('policy', use.name, use.options, at, known), ...model];
    }),
  );
  const searches = [...virtualServers]
    .filter(([name]) => origin('virtual-servers', name) === 'store')
    .flatMap(([name, server]) => pathFaults(own(server, 'search'), below(below('/virtual-servers', name), 'search')));
  const faults = [...providerFaults(Object.fromEntries(providers), known), ...policies, ...searches];
  return faults.map(({ code, message, pointer, key }) => ({
    code,
    severity: 'error',
    message,
    pointer: key === undefined ? pointer : below(pointer, key),
  }));
}

function pathFaults(holder: unknown, pointer: string): Fault[] {
  const model = own(holder, 'model');
  if (typeof model !== 'string' || !isModelPath(model)) return [];
  const message = 'A path is taken in files only. Name a model of the folder of models, hub:NAME, auto or none.';
  return [{ code: 'bad-value', message, pointer: below(pointer, 'model') }];
}
