import type { Host } from '../../core/contracts/extension.ts';
import type { Semantics } from '../../core/contracts/semantics.ts';
import type { State } from '../../core/contracts/state.ts';
import type { Store } from '../../core/contracts/store.ts';
import { GatewayError } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import { namespaced } from '../../storage/state/namespaced-state.ts';
import type { UpstreamRequest } from '../../core/upstream.ts';
import type { UpstreamHttp } from '../../upstreams/http.ts';

/** What every extension of a process is lent from. */
export interface Lenders {
  readonly http: UpstreamHttp;
  readonly store: Store;
  readonly state: State;
  readonly semantics: Semantics;
  readonly log: Logger;
}

/** `place` says where in the configuration the instance stands, `trust` who wrote it: addresses that came by the admin API must be public. */
export type HostFactory = (extension: string, place?: string, trust?: UpstreamRequest['trust']) => Host;

/** Makes the host of one extension: its own log, its own part of the store, egress-checked fetch, and values that outlive reloads. */
export function createHostFactory({ http, store, state, semantics, log }: Lenders): HostFactory {
  const shared = new Map<string, unknown>();
  return (extension, place = '', trust = 'operator') => ({
    place,
    log: log.child({ extension }),
    fetch: (input, init) => fetchThrough(http, new Request(input, init), trust),
    now: Date.now,
    store: store.keyValue(extension),
    // Two places count apart. A namespace ends at the first colon.
    state: namespaced(state, encodeURIComponent(`${extension}@${place}`)),
    embed: async (texts) => (await semantics.embed(texts)).vectors,
    semantics,
    load: (kind, name) =>
      Promise.reject(new GatewayError('not_implemented', `There are no extensions of kind ${kind} yet, so ${name} cannot be loaded.`)),
    shared<T>(key: string, create: () => T): T {
      const place = `${extension}/${key}`;
      if (!shared.has(place)) shared.set(place, create());
      return shared.get(place) as T;
    },
  });
}

/** `fetch` for extensions: the same door as every other request that leaves the machine. */
async function fetchThrough(http: UpstreamHttp, request: Request, trust: UpstreamRequest['trust']): Promise<Response> {
  const url = new URL(request.url);
  const body = request.body === null ? undefined : new Uint8Array(await request.arrayBuffer());
  const answer = await http.send(
    {
      method: request.method,
      origin: url.origin,
      path: `${url.pathname}${url.search}`,
      headers: Object.fromEntries(request.headers),
      trust,
      ...(body === undefined ? {} : { body }),
    },
    { signal: request.signal },
  );
  const headers = new Headers();
  for (const [name, value] of Object.entries(answer.headers)) for (const one of [value ?? []].flat()) headers.append(name, one);
  const empty = answer.status === 204 || answer.status === 304;
  return new Response(empty ? null : new Uint8Array(answer.body), { status: answer.status, headers });
}
