/** A URL, or the address of a service inside the process, cut where a request needs it. */
export interface Address {
  /** `http(s)://host[:port]` or `demo:echo`. */
  readonly origin: string;
  /** Begins with a slash; as it stands, a slash at its end included. */
  readonly path: string;
  /** With its question mark; empty where there is none. */
  readonly search: string;
}

/** Undefined for what is no address that the hub can call: gRPC targets, relative ones, those with a user name or password in them. */
export function readAddress(text: string): Address | undefined {
  const inside = /^(demo:[a-z][a-z0-9-]*)(\/[^?#]*)?(\?[^#]*)?$/.exec(text);
  if (inside !== null) return { origin: inside[1]!, path: inside[2] ?? '/', search: inside[3] ?? '' };
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol) || `${url.username}${url.password}` !== '') return undefined;
  return { origin: url.origin, path: url.pathname, search: url.search };
}

/** The path and query of something below an address, whose own query stays on it. `below` is empty or begins with a slash, and may have a query. */
export function pathBelow({ path, search }: Address, below: string): string {
  if (below === '') return `${path}${search}`;
  const joined = `${path.replace(/\/+$/, '')}${below}`;
  return search === '' ? joined : `${joined}${joined.includes('?') ? '&' : '?'}${search.slice(1)}`;
}

const LOOPBACK = /^(https?:)\/\/(?:localhost|127\.0\.0\.1|\[::1\]|\[::ffff:7f00:1\]|0\.0\.0\.0)(?=:|$)/;

/** The names of this machine are one: agents on it write any of them on their cards. */
export function isSameOrigin(one: string, other: string): boolean {
  return one.replace(LOOPBACK, '$1//localhost') === other.replace(LOOPBACK, '$1//localhost');
}
