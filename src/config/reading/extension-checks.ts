import { providerOptions } from '../../core/contracts/provider.ts';
import type { AnyExtension } from '../extensions.ts';
import { checkOptions } from '../extensions.ts';
import { listOf, loose, own } from './checks.ts';
import { ONE_POLICY, POLICY_KEYS, policyName } from './convert.ts';
import { nearest, shownKey } from './nearest.ts';
import { below } from './yaml-file.ts';
import type { Fault } from './yaml-file.ts';

/** Extensions that entries may name; nothing is said about names when there is no list. */
export type Known = readonly AnyExtension[] | undefined;

/** What is wrong with one entry of a `policies` list. */
export function policyFaults(entry: unknown, pointer: string, known: Known): Fault[] {
  const name = policyName(entry);
  if (name === undefined) return strayFaults(entry, pointer, known);
  return extensionFaults('policy', name, own(entry, name), { pointer, key: name }, known);
}

/** More keys than one that could be a policy, or none. */
function strayFaults(entry: unknown, pointer: string, known: Known): Fault[] {
  const keys = Object.keys(loose(entry)).filter((key) => !POLICY_KEYS.includes(key));
  const stray = keys.filter((key) => !known?.some((extension) => extension.kind === 'policy' && extension.name === key));
  if (known === undefined || keys.length - stray.length !== 1) return [{ code: 'bad-value', message: ONE_POLICY, pointer }];
  return stray.map((key) => {
    const meant = nearest(key, POLICY_KEYS);
    const fix = meant ? `Did you mean "${meant}"?` : ONE_POLICY;
    return { code: 'unknown-key', message: `There is no key ${shownKey(key)}. ${fix}`, pointer, key };
  });
}

/** What is wrong with an extension that an entry names, and with its options, which stand at the key. */
export function extensionFaults(
  kind: AnyExtension['kind'],
  name: string,
  options: unknown,
  at: { pointer: string; key?: string },
  known: Known,
): Fault[] {
  if (!known) return [];
  const sameKind = known.filter((extension) => extension.kind === kind);
  const extension = sameKind.find((candidate) => candidate.name === name);
  const word = kind === 'tool-source' ? 'tool source' : kind === 'provider' ? 'provider type' : kind;
  if (!extension) {
    const names = sameKind.map((candidate) => candidate.name);
    const meant = nearest(name, kind === 'policy' ? [...names, ...POLICY_KEYS] : names);
    const fix = meant ? `Did you mean "${meant}"?` : `Known: ${names.join(', ') || 'none'}.`;
    return [{ code: 'unknown-extension', message: `There is no ${word} ${shownKey(name)}. ${fix}`, ...at }];
  }
  const place = at.key === undefined ? at.pointer : below(at.pointer, at.key);
  return checkOptions(extension, options ?? {}).map(({ code, message, pointer = '' }) => ({
    code,
    message,
    pointer: `${place}${pointer}`,
  }));
}

/** What is wrong with the types of `providers`, and with what their vendors want to know. */
export function providerFaults(providers: unknown, known: Known): Fault[] {
  return Object.entries(loose(providers)).flatMap(([name, entry]) => {
    const type = own(entry, 'type');
    if (typeof type !== 'string') return [];
    const pointer = below('/providers', name);
    // Of several keys each stands in for apiKey.
    const [first] = listOf(own(entry, 'keys'));
    const options = { ...(first === undefined ? {} : { apiKey: own(first, 'key') }), ...providerOptions(entry as object) };
    const faults = extensionFaults('provider', type, options, { pointer }, known);
    return faults.map((fault) => (fault.code === 'unknown-extension' ? { ...fault, pointer: `${pointer}/type` } : fault));
  });
}

/** What is wrong with how routes, or agents by name, balance. `pointer` is that of all of them. */
export function balancerFaults(entries: unknown, pointer: string, known: Known): Fault[] {
  const named = Array.isArray(entries) ? [...entries.entries()] : Object.entries(loose(entries));
  return named.flatMap(([name, entry]: readonly [string | number, unknown]) => {
    const balance = own(entry, 'balance');
    const at = { pointer: below(below(pointer, name), 'balance') };
    if (typeof balance === 'string') return extensionFaults('balancer', balance, {}, at, known);
    return Object.entries(loose(balance)).flatMap(([key, options]) => extensionFaults('balancer', key, options, { ...at, key }, known));
  });
}

/** Every `policies` list of a value, with where it stands. */
export function policyLists(
  value: unknown,
  places: readonly string[],
): { readonly pointer: string; readonly entries: readonly unknown[] }[] {
  return places.flatMap((place) => {
    const holder = place === '' ? [['', value] as const] : Object.entries((own(value, place) as object | undefined) ?? {});
    return holder.map(([name, entry]) => {
      const pointer = place === '' ? '/policies' : `${below(`/${place}`, name)}/policies`;
      return { pointer, entries: listOf(own(entry, 'policies')) };
    });
  });
}
