/**
 * A steady load of tool calls of both eras, as a process of its own: `node load.ts '{"url", "key", "perSecond"}'`. Says 'ready' on its channel
 * when the first calls are answered, and a Report when it is told 'stop'. A call begins when its time has come, whether the others are answered or not.
 */
import { openLegacySession, post, postModern, type RawAnswer } from '../../support/mcp-clients.ts';

/** What came of the load. */
export interface Report {
  readonly calls: number;
  /** What was wrong with those that failed. */
  readonly failures: readonly string[];
  readonly perSecond: number;
  /** Milliseconds. */
  readonly slowest: number;
}

const { url, key, perSecond } = JSON.parse(process.argv[2]!) as { url: string; key: string; perSecond: number };
const headers = { authorization: `Bearer ${key}` };
const params = { name: 'getPetById', arguments: { petId: 1 } };
const body = { jsonrpc: '2.0', id: 1, method: 'tools/call', params };
const [desk, shop] = [`${url}/mcp/desk`, `${url}/mcp/shop`];
const sessions = { desk: await openLegacySession(desk, { headers }), shop: await openLegacySession(shop, { headers }) };
const kinds: readonly (() => Promise<RawAnswer>)[] = [
  () => post(desk, body, sessions.desk.headers),
  () => postModern(desk, 'tools/call', params, { headers }),
  () => post(shop, body, sessions.shop.headers),
  () => postModern(shop, 'tools/call', params, { headers }),
];

const failures: string[] = [];
const underWay = new Set<Promise<void>>();
let calls = 0;
let slowest = 0;

async function call(kind: number): Promise<void> {
  const began = performance.now();
  try {
    const { status, result, text } = await kinds[kind]!();
    if (status !== 200 || result === undefined || result['isError'] === true || !text.includes('Rex')) failures.push(`${status} ${text}`);
  } catch (error) {
    const { message, cause } = error as Error;
    failures.push(`${message} (${String(cause)})`);
  }
  slowest = Math.max(slowest, performance.now() - began);
}

for (const kind of kinds.keys()) await call(kind);
process.send!('ready');

const began = performance.now();
const timer = setInterval(() => {
  for (const due = ((performance.now() - began) / 1000) * perSecond; calls < due; calls++) {
    const one = call(calls % kinds.length).finally(() => underWay.delete(one));
    underWay.add(one);
  }
}, 5);

process.once('message', async () => {
  clearInterval(timer);
  await Promise.all(underWay);
  const report: Report = { calls, failures, perSecond: calls / ((performance.now() - began) / 1000), slowest };
  process.send!(report, () => process.disconnect());
});
