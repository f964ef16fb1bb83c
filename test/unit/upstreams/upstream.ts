import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import type { UpstreamRequest } from '../../../src/core/upstream.ts';
import { createEgress } from '../../../src/upstreams/egress.ts';
import { createHttp } from '../../../src/upstreams/http.ts';
import type { HttpOptions, UpstreamHttp } from '../../../src/upstreams/http.ts';

/** A server that lives as long as the test. */
export async function serve(handle: RequestListener): Promise<{ origin: string; port: number; server: Server }> {
  const server = createServer(handle);
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { origin: `http://127.0.0.1:${port}`, port, server };
}

export function http(options: Partial<HttpOptions> = {}): UpstreamHttp {
  const egress = createEgress({ allow: [], ownPorts: [] });
  const made = createHttp({ egress: () => egress, ...options });
  onTestFinished(() => made.close());
  return made;
}

export function request(origin: string, more: Partial<UpstreamRequest> = {}): UpstreamRequest {
  return { method: 'GET', origin, path: '/', headers: {}, trust: 'operator', ...more };
}
