import { GatewayError } from '../../core/errors.ts';
import type { RequestSigner, UpstreamRequest } from '../../core/upstream.ts';

/** Where one credential goes, and the way to its value. */
type Placement = readonly [name: string, reveal: () => string];

export interface Placements {
  /** Lower-case names. */
  readonly headers?: readonly Placement[];
  readonly query?: readonly Placement[];
  readonly cookies?: readonly Placement[];
}

/** Puts credentials that never change in their places. They are revealed only while a request is signed. */
export function placedSigner({ headers = [], query = [], cookies = [] }: Placements): RequestSigner {
  return {
    refreshable: false,
    sign(request: UpstreamRequest): UpstreamRequest {
      let { path } = request;
      for (const [name, reveal] of query) {
        path += `${path.includes('?') ? '&' : '?'}${encodeURIComponent(name)}=${encodeURIComponent(reveal())}`;
      }
      if (headers.length === 0 && cookies.length === 0) return { ...request, path };
      const signed: Record<string, string | readonly string[]> = { ...request.headers };
      for (const [name, reveal] of headers) signed[name] = headerValue(name, reveal());
      for (const [name, reveal] of cookies) {
        const pair = `${name}=${encodeURIComponent(reveal())}`;
        const before = signed['cookie'];
        signed['cookie'] = typeof before === 'string' && before !== '' ? `${before}; ${pair}` : pair;
      }
      return { ...request, path, headers: signed };
    },
  };
}

/** Throws GatewayError `upstream_failed`: nothing that the caller could change is wrong. */
function headerValue(name: string, value: string): string {
  if (/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) return value;
  throw new GatewayError(
    'upstream_failed',
    `The credential that is configured for the header ${name} of this service holds a line break or another character that no header can carry. The operator corrects it.`,
  );
}
