import { GatewayError } from '../../../core/errors.ts';
import type { JsonObject } from '../../../core/json.ts';

/** The description of `baseUrl` in the options. */
export function baseUrlOption(own: string | undefined): JsonObject {
  const what = 'Where the API is: http(s)://host[:port][/path], or demo:NAME for a service inside the hub.';
  return { type: 'string', minLength: 1, description: own === undefined ? what : `${what} Default: ${own}` };
}

/**
 * Origin and path of a base URL; `path` has no slash at its end and is `own` when the URL has none. Throws GatewayError `bad_request`.
 */
export function splitBaseUrl(baseUrl: string, own: string): { readonly origin: string; readonly path: string } {
  const inside = /^(demo:[a-z0-9-]+)(\/[^?#]*)?$/.exec(baseUrl);
  const url = inside === null && URL.canParse(baseUrl) ? new URL(baseUrl) : undefined;
  const plain = url !== undefined && /^https?:$/.test(url.protocol) && url.search + url.hash + url.username + url.password === '';
  if (inside === null && !plain) {
    throw new GatewayError('bad_request', 'baseUrl must look like https://host/path, without a query, or like demo:NAME.');
  }
  const path = (inside?.[2] ?? url?.pathname ?? '').replace(/\/+$/, '');
  return { origin: inside?.[1] ?? url?.origin ?? '', path: path === '' ? own : path };
}
