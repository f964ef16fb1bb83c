import { Agent } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Hub, startHub } from '../../support/start-hub.ts';
import { type RawServer, startCutServer } from './cut-server.ts';
import { askStream, type Door, DOORS, type Streamed, verdict } from './doors.ts';
import { inParallel } from './in-parallel.ts';
import { type Format, FORMATS, readTranscript, TRANSCRIPTS } from './transcripts.ts';
import { vendorsConfig, VENDORS, VENDOR_ENV } from './vendors.ts';

const AT_ONCE = 16;
/** Every byte boundary of every transcript, through the doors in turn. */
const STORY_MS = 180_000;

describe('where a stream is cut into packets makes no difference', () => {
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
  let hub: Hub;
  let vendor: RawServer;
  beforeAll(async () => {
    vendor = await startCutServer((format, model) => {
      const [, name = '', at = ''] = /-split-([a-z-]+)-(\d+)$/.exec(model) ?? [];
      const body = readTranscript(format, TRANSCRIPTS.find((one) => one === name) ?? 'text');
      return { head: 'whole', closing: 'chunked end', pieces: [body.subarray(0, Number(at)), body.subarray(Number(at))] };
    });
    hub = await startHub({ files: { 'hubgate.yaml': vendorsConfig(vendor.url) }, env: VENDOR_ENV });
  });
  afterAll(async () => {
    agent.destroy();
    await hub?.stop();
    await vendor?.close();
  });

  it.each(FORMATS.flatMap((format) => TRANSCRIPTS.map((name) => ({ format, name }))))(
    '$format, $name, in two writes at every byte',
    async ({ format, name }) => {
      const ask = (door: Door, at: number): Promise<Streamed> =>
        askStream(hub.url, door, `${VENDORS[format].prefix}split-${name}-${at}`, agent);
      const whole = new Map<Door, string>();
      for (const door of DOORS) {
        const streamed = await ask(door, 0);
        expect(verdict(door, streamed), streamed.text).toBe('whole');
        whole.set(door, plain(streamed.text, format, name, 0));
      }
      const places = Array.from({ length: readTranscript(format, name).length - 1 }, (_, i) => i + 1);
      const different = await inParallel(places, AT_ONCE, async (at) => {
        const door = DOORS[at % DOORS.length] ?? 'chat';
        const { text } = await ask(door, at);
        return plain(text, format, name, at) === whole.get(door) ? [] : [`${door}, byte ${at}: ${text}`];
      });
      expect(different.flat()).toEqual([]);
    },
    STORY_MS,
  );
});

/** Without what is new in each answer: ids that the hub gives, times, and the number in the name of the model. */
function plain(text: string, format: Format, name: string, at: number): string {
  return text
    .replaceAll(`${VENDORS[format].prefix}split-${name}-${at}`, 'MODEL')
    .replaceAll(/"(id|item_id|call_id)":"[^"]*"/g, '"$1":"ID"')
    .replaceAll(/"(created|created_at|completed_at)":\d+/g, '"$1":0');
}
