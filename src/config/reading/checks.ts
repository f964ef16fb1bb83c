import { nearest, shownKey } from './nearest.ts';
import { below } from './yaml-file.ts';
import type { Fault } from './yaml-file.ts';

/** An entry before its texts became values, read loosely: it may not fit its schema. */
export type Loose = Readonly<Record<string, unknown>>;

/** A value as an object to look into; empty when it is none. */
export function loose(value: unknown): Loose {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Loose) : {};
}

/** A key of an outside object, never of its prototype. */
export function own(value: unknown, key: string): unknown {
  const object = loose(value);
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? (value as unknown[]) : []);

function keysOf(entry: unknown, keys: readonly string[]): string[] {
  return keys.filter((key) => own(entry, key) !== undefined);
}

/** What the schema cannot say about a service. */
export function serviceFaults(service: unknown, pointer: string, origin: 'file' | 'store'): Fault[] {
  const ways = keysOf(service, ['spec', 'url', 'document']);
  const faults: Fault[] = [];
  const refuse = (key: string, message: string) => faults.push({ code: 'bad-value', message, pointer: below(pointer, key) });
  if (ways.length > 1) {
    faults.push({ code: 'too-many-keys', message: `${ways.join(' and ')} stand side by side. Keep one.`, pointer });
  }
  if (origin === 'file' && ways.includes('document')) {
    refuse('document', 'A document stands in a file of its own: save it in openapi-specs/, and name the file with spec.');
  }
  if (origin === 'store') {
    if (ways.length === 0) faults.push({ code: 'missing-key', message: 'A service needs its document: url or document.', pointer });
    if (ways.includes('spec'))
      refuse('spec', 'Files are named in hubgate.yaml only. Send the address as url, or the document itself as document.');
    if (own(service, 'overlays') !== undefined)
      refuse('overlays', 'Files are named in hubgate.yaml only. Send the document as it is to be.');
    if (own(service, 'baseUrl') === 'hub:admin') refuse('baseUrl', 'hub:admin can stand in hubgate.yaml only.');
  }
  return faults;
}

/** What the schema cannot say about a server. */
export function serverFaults(server: unknown, pointer: string): Fault[] {
  return oneWay(server, ['command', 'url', 'source'], pointer);
}

/** What the schema cannot say about an agent. */
export function agentFaults(agent: unknown, pointer: string, origin: 'file' | 'store'): Fault[] {
  const faults = oneWay(agent, ['card', 'targets', 'rest'], pointer);
  const spec = own(own(agent, 'rest'), 'spec');
  if (origin === 'store' && typeof spec === 'string' && !/^https?:/i.test(spec)) {
    const message = 'Files are named in hubgate.yaml only. Send the address of the document.';
    faults.push({ code: 'bad-value', message, pointer: below(below(pointer, 'rest'), 'spec') });
  }
  const cards = new Set<unknown>();
  for (const [index, target] of listOf(own(agent, 'targets')).entries()) {
    const card = own(target, 'card');
    // Tasks are kept with the address of their instance.
    if (card !== undefined && cards.has(card)) {
      const message = 'There is an instance with this address already. Remove one, and give the other its weight.';
      faults.push({ code: 'name-clash', message, pointer: `${below(pointer, 'targets')}/${index}/card` });
    }
    cards.add(card);
  }
  return faults;
}

/** An entry says in exactly one way where it is. */
function oneWay(entry: unknown, keys: readonly string[], pointer: string): Fault[] {
  const ways = keysOf(entry, keys);
  if (ways.length === 1) return [];
  const found = ways.length === 0 ? 'None of these is there' : `${ways.join(' and ')} stand side by side`;
  return [
    {
      code: ways.length === 0 ? 'missing-key' : 'too-many-keys',
      message: `${found}. Write exactly one of: ${keys.join(', ')}.`,
      pointer,
    },
  ];
}

/** What the schema cannot say about a virtual server. `sources` are those of the whole configuration, where they are known. */
export function virtualServerFaults(server: unknown, pointer: string, sources?: { has(name: string): boolean }): Fault[] {
  const froms = listOf(own(server, 'tools')).map((selection) => own(selection, 'from'));
  const names = froms.filter((name) => typeof name === 'string');
  // A misspelt from has an error of its own, and an override of the source that it means is right.
  const misspelt = sources !== undefined && names.some((name) => !sources.has(name));
  const overrides = loose(own(server, 'overrides'));
  return Object.keys(overrides).flatMap((key): Fault[] => {
    const source = key.slice(0, key.indexOf('.'));
    if (!key.includes('.') || names.includes(source) || (misspelt && sources.has(source))) return [];
    const meant = nearest(source, names);
    const fix = meant ? `Did you mean "${meant}"?` : `Sources here: ${names.join(', ') || 'none'}.`;
    return [
      { code: 'unknown-source', message: `No tools are taken from ${shownKey(source)}. ${fix}`, pointer: below(pointer, 'overrides'), key },
    ];
  });
}
