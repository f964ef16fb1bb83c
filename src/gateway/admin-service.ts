import type { AdminApi } from '../admin/api.ts';
import type { UpstreamResponse } from '../core/upstream.ts';
import type { InProcessService } from '../upstreams/http.ts';

/**
 * `baseUrl: hub:admin`: the admin API as a service inside the process. Only hubgate.yaml can name it, with an `access` that says who may, so
 * its caller needs no token.
 */
export function adminService(api: AdminApi): InProcessService {
  return async (request): Promise<UpstreamResponse> => {
    const url = new URL(request.path, 'http://hub.admin');
    const body =
      typeof request.body === 'string'
        ? request.body
        : request.body instanceof Uint8Array
          ? Buffer.from(request.body).toString('utf8')
          : undefined;
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    const answer = await api.handle({
      method: request.method,
      path: url.pathname,
      query: url.searchParams,
      headers,
      ...(body === undefined || body === '' ? {} : { body: JSON.parse(body) as unknown }),
    });
    const text = answer.body === undefined ? '' : JSON.stringify(answer.body);
    return { status: answer.status, headers: { 'content-type': 'application/json', ...answer.headers }, body: Buffer.from(text) };
  };
}
