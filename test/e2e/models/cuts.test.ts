import { Agent } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Hub, startHub } from '../../support/start-hub.ts';
import { type RawServer, startCutServer } from './cut-server.ts';
import { bodyCuts, cutsOf } from './cuts.ts';
import { askStream, type Door, DOORS, verdict } from './doors.ts';
import { inParallel } from './in-parallel.ts';
import { FORMATS, readTranscript, TRANSCRIPTS } from './transcripts.ts';
import { vendorsConfig, VENDORS, VENDOR_ENV } from './vendors.ts';

const AT_ONCE = 8;
const END_MS = 5_000;

describe('a stream that was cut is never taken for an answer', () => {
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
  let hub: Hub;
  let vendor: RawServer;
  beforeAll(async () => {
    const tables = new Map(FORMATS.map((format) => [format, cutsOf(format)]));
    vendor = await startCutServer((format, model) => {
      const whole = TRANSCRIPTS.find((name) => model.endsWith(`whole-${name}`));
      if (whole) return { head: 'whole', closing: 'chunked end', pieces: [readTranscript(format, whole)] };
      const cut = tables.get(format)?.[Number(/cut-(\d+)$/.exec(model)?.[1])];
      if (!cut) throw new Error(`no cut for ${model}`);
      return { ...cut, pieces: [cut.body] };
    });
    hub = await startHub({ files: { 'hubgate.yaml': vendorsConfig(vendor.url) }, env: VENDOR_ENV });
  });
  afterAll(async () => {
    agent.destroy();
    await hub?.stop();
    await vendor?.close();
  });

  it.each(FORMATS)('there are 72 ways of cutting %s, all different', (format) => {
    const cuts = bodyCuts(format);
    expect(cuts).toHaveLength(72);
    expect(new Set(cuts.map(({ closing, body }) => `${closing} ${body.toString('latin1')}`)).size).toBe(72);
  });

  const pairs = FORMATS.flatMap((format) => DOORS.map((door) => ({ format, door })));
  it.each(pairs)('$format at the door $door: whole answers are whole', async ({ format, door }) => {
    for (const name of TRANSCRIPTS) {
      const streamed = await askStream(hub.url, door, `${VENDORS[format].prefix}whole-${name}`, agent);
      expect(`${name}: ${verdict(door, streamed)}`, streamed.text).toBe(`${name}: whole`);
    }
  });

  it.each(pairs)('$format at the door $door', async ({ format, door }) => {
    const ways = cutsOf(format).map(({ name }, number) => ({ name, number }));
    const wrong = await inParallel(ways, AT_ONCE, async ({ name, number }) => {
      const found = await judged(door, `${VENDORS[format].prefix}cut-${number}`);
      return found === 'error' ? [] : [`${name}: ${found}`];
    });
    expect(wrong.flat()).toEqual([]);
  });

  async function judged(door: Door, model: string): Promise<string> {
    const started = performance.now();
    const found = await askStream(hub.url, door, model, agent).then(
      (streamed) => verdict(door, streamed),
      (error: unknown) => `the hub broke the connection: ${String(error)}`,
    );
    return performance.now() - started > END_MS ? `${found}, late` : found;
  }
});
