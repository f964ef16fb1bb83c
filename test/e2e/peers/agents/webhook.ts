import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Notice {
  readonly headers: IncomingHttpHeaders;
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into what they know
  readonly body: any;
}

export interface Webhook {
  readonly url: string;
  readonly got: readonly Notice[];
  /** The first notice that has this, also one that has come already. Throws when none comes in time. */
  first(matches: (notice: Notice) => boolean): Promise<Notice>;
  close(): void;
}

const NOTICE_MS = 8_000;

/** A server of a caller that takes push notifications. */
export async function startWebhook(): Promise<Webhook> {
  const got: Notice[] = [];
  const waiting = new Set<() => void>();
  const server = createServer(async (req, res) => {
    let body = '';
    for await (const chunk of req) body += chunk;
    got.push({ headers: req.headers, body: JSON.parse(body || '{}') });
    res.end();
    for (const look of waiting) look();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const first = (matches: (notice: Notice) => boolean): Promise<Notice> =>
    new Promise((found, failed) => {
      const timer = setTimeout(() => {
        waiting.delete(look);
        failed(new Error(`no such notification in ${NOTICE_MS} ms, but ${JSON.stringify(got.map(({ body }) => body)).slice(0, 300)}`));
      }, NOTICE_MS);
      const look = (): void => {
        const notice = got.find(matches);
        if (notice === undefined) return;
        clearTimeout(timer);
        waiting.delete(look);
        found(notice);
      };
      waiting.add(look);
      look();
    });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    got,
    first,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
