import { isObject } from '../../../core/json.ts';
import { createHostFinder, plainHost } from './host-names.ts';

export interface AddressFilterFacts {
  /** The hub's own address of the agent: what was below an interface is below it then. */
  readonly base: string;
  /** URLs of the agent's own interfaces. */
  readonly interfaces: readonly string[];
  /** Further hosts of its own. */
  readonly internal: readonly string[];
}

/** Stands for the base until all else is known to be clean: the hub may be on the upstream's host itself. */
const BASE = '\uE000';
const WORD = /[^\s"'<>(){}|\\^`]+/g;
const REMOVED = '[removed]';

/**
 * Takes the addresses of an agent's own hosts out of any JSON, keys included. A URL at or below an interface becomes the hub's; other words that name such
 * a host go, and a text that still does then goes as a whole: undefined, in objects and lists no entry.
 */
export function createAddressFilter({ base, interfaces, internal }: AddressFilterFacts): (value: unknown) => unknown {
  const roots = interfaces.flatMap(rootOf).sort((one, other) => other.path.length - one.path.length);
  const addresses = [...internal, ...interfaces];
  const namesHost = createHostFinder(addresses);
  // A query that belongs to an address of theirs says whose door it is, or holds a key to it.
  const hasQueries = addresses.some((address) => (URL.parse(address)?.search ?? '') !== '');

  function onHub(word: string): string {
    const url = URL.parse(word);
    if (url === null || url.username !== '' || url.password !== '') return REMOVED;
    const root = roots.find(({ place, path }) => place === placeOf(url) && `${url.pathname}/`.startsWith(`${path}/`));
    if (root === undefined) return REMOVED;
    return BASE + url.pathname.slice(root.path.length) + (hasQueries ? '' : url.search) + url.hash;
  }

  function cleanText(text: string): string | undefined {
    if (!namesHost(text)) return text;
    const marked = text.replaceAll(BASE, '').replaceAll(WORD, (written) => {
      const word = withoutEnd(written, '.,;:!?');
      return namesHost(word) ? onHub(word) + written.slice(word.length) : written;
    });
    if (marked.trim() === REMOVED || namesHost(marked)) return undefined;
    return marked.replaceAll(BASE, base);
  }

  return function clean(value: unknown): unknown {
    if (typeof value === 'string') return cleanText(value);
    if (Array.isArray(value)) return value.map(clean).filter((item) => item !== undefined);
    if (!isObject(value)) return value;
    return Object.fromEntries(
      Object.entries(value).flatMap(([key, item]) => {
        const kept = namesHost(key) ? undefined : clean(item);
        return kept === undefined ? [] : [[key, kept] as const];
      }),
    );
  };
}

function rootOf(address: string): { readonly place: string; readonly path: string }[] {
  const url = URL.parse(address);
  return url === null || !/^https?:$/.test(url.protocol) ? [] : [{ place: placeOf(url), path: withoutEnd(url.pathname, '/') }];
}

/** Host and port; http: and https: are the same place, whatever the agent thinks it is called by. */
function placeOf({ protocol, hostname, port }: URL): string {
  if (protocol !== 'http:' && protocol !== 'https:') return '';
  return `${plainHost(hostname)} ${port || (protocol === 'https:' ? 443 : 80)}`;
}

/** A loop, since a regular expression would look at a long run of such characters again from each of them. */
function withoutEnd(text: string, characters: string): string {
  let end = text.length;
  while (end > 0 && characters.includes(text[end - 1]!)) end--;
  return text.slice(0, end);
}
