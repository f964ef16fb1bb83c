import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Hub, startHub } from '../../../support/start-hub.ts';
import { type RawServer, startCutServer } from '../../models/cut-server.ts';
import { cutsOf } from '../../models/cuts.ts';
import { inParallel } from '../../models/in-parallel.ts';
import { ASKED, FORMATS, readTranscript, TRANSCRIPTS } from '../../models/transcripts.ts';
import { vendorsConfig, VENDORS, VENDOR_ENV } from '../../models/vendors.ts';
import type { Driver, Seen } from './ask.ts';
import { anthropic } from './clients/anthropic.ts';
import { openaiChat } from './clients/openai-chat.ts';
import { openaiResponses } from './clients/openai-responses.ts';

const AT_ONCE = 8;
const END_MS = 5_000;
const CLIENTS: readonly Driver[] = [openaiChat, openaiResponses, anthropic];

describe('no official client takes a stream that was cut for an answer', () => {
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
    await hub?.stop();
    await vendor?.close();
  });

  const pairs = FORMATS.flatMap((format) => CLIENTS.map((driver) => ({ format, driver })));
  const ask = (driver: Driver, model: string): Promise<Seen> =>
    driver.chat(hub.url, { model, stream: true, turns: [{ role: 'user', text: 'hello' }] });

  it.each(pairs)('$format with $driver.name: whole answers are taken', async ({ format, driver }) => {
    for (const name of TRANSCRIPTS) {
      const { text, calls } = await ask(driver, `${VENDORS[format].prefix}whole-${name}`);
      if (name === 'tools') expect(calls.map((call) => call.name)).toEqual(['weather', 'clock', 'ping']);
      else expect(text).toBe(`Echo: ${ASKED[name]}`);
    }
  });

  it.each(pairs)('$format with $driver.name', async ({ format, driver }) => {
    const ways = cutsOf(format).map(({ name }, number) => ({ name, number }));
    const wrong = await inParallel(ways, AT_ONCE, async ({ name, number }) => {
      const started = performance.now();
      const taken = await ask(driver, `${VENDORS[format].prefix}cut-${number}`).then(
        ({ text, finish }) => [`${name}: taken for an answer, ${finish}: ${text}`],
        () => [],
      );
      return performance.now() - started > END_MS ? [...taken, `${name}: late`] : taken;
    });
    expect(wrong.flat()).toEqual([]);
  });
});
