import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Cancellation } from '../../../../../src/core/upstream.ts';
import { GatewayError } from '../../../../../src/core/errors.ts';
import { startLane } from './start-lane.ts';
import { CHAT, DONE, EVENTS, MESSAGES, piece, RESPONSES, SAID, transcript, VENDORS, contentType, inPieces } from './streams.ts';

/** A vendor that speaks until it is called off or left, and keeps note of both. */
function endless(everyMs: number, text = piece('Hi')) {
  const seen = { pulled: 0, left: false, aborted: undefined as unknown };
  const vendor = (_: unknown, signal: Cancellation | undefined) => {
    const stop = Promise.withResolvers<never>();
    stop.promise.catch(() => undefined);
    signal?.addEventListener('abort', {
      handleEvent() {
        seen.aborted = signal.reason;
        stop.reject(new GatewayError('client_closed'));
      },
    });
    const body = (async function* (): AsyncGenerator<Buffer> {
      try {
        for (;;) {
          seen.pulled += 1;
          yield Buffer.from(text);
          await Promise.race([sleep(everyMs), stop.promise]);
        }
      } finally {
        seen.left = true;
      }
    })();
    return { headers: EVENTS, body };
  };
  return { seen, vendor };
}

async function until(condition: () => boolean, withinMs: number): Promise<void> {
  const end = performance.now() + withinMs;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`not within ${withinMs} ms`);
    await sleep(2);
  }
}

describe('a client that leaves', () => {
  it.each([
    ['/v1/chat/completions', CHAT],
    ['/v1/messages', MESSAGES],
    ['/v1/responses', RESPONSES],
  ])('in the middle of a stream of %s stops the vendor', async (path, body) => {
    const { seen, vendor } = endless(5);
    const lane = await startLane({ vendor });
    const answer = await lane.begin(path, { ...body, stream: true });
    await once(answer, 'data');
    answer.destroy();
    await until(() => seen.aborted !== undefined && seen.left, 250);
    expect(seen.aborted).toMatchObject({ code: 'client_closed' });
    await until(() => lane.inside() === 0 && lane.records.length === 1, 250);
    expect(lane.records[0]?.outcome).toMatchObject({
      ok: false,
      error: { code: 'client_closed' },
      usage: { inputTokens: expect.any(Number) },
    });
    const { pulled } = seen;
    await sleep(30);
    expect(seen.pulled).toBe(pulled);
  });

  it('before the first byte stops the vendor too', async () => {
    let aborted = false;
    const lane = await startLane({
      vendor: (_, signal) =>
        new Promise((__, reject) =>
          signal!.addEventListener('abort', {
            handleEvent() {
              aborted = true;
              reject(new GatewayError('client_closed'));
            },
          }),
        ),
    });
    for (const stream of [true, false]) {
      aborted = false;
      const text = JSON.stringify({ ...CHAT, stream });
      const socket = connect(lane.port, '127.0.0.1');
      socket.write(
        `POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${text.length}\r\n\r\n${text}`,
      );
      await until(() => lane.requests.length === (stream ? 1 : 2), 1_000);
      socket.destroy();
      await until(() => aborted, 250);
    }
    await until(() => lane.inside() === 0, 250);
    expect(lane.records.map(({ outcome }) => outcome.error?.code)).toEqual(['client_closed', 'client_closed']);
  });

  it('after the last byte of its answer aborts nothing', async () => {
    let aborted = false;
    const lane = await startLane({
      vendor: (_, signal) => {
        signal!.addEventListener('abort', { handleEvent: () => void (aborted = true) });
        return { body: SAID };
      },
    });
    await lane.ask('/v1/chat/completions', CHAT);
    await sleep(20);
    expect(aborted).toBe(false);
  });
});

describe('a reader who is slow', () => {
  it.each([
    ['passing', '/v1/chat/completions', CHAT],
    ['converting', '/v1/messages', MESSAGES],
  ])('holds the vendor back, %s', async (_, path, body) => {
    const large = piece('x'.repeat(60_000));
    const seen = { pulled: 0 };
    const lane = await startLane({
      vendor: () => ({
        headers: EVENTS,
        body: (async function* (): AsyncGenerator<Buffer> {
          for (; seen.pulled < 1_000; seen.pulled++) {
            yield Buffer.from(large);
            await new Promise((resolve) => void setImmediate(resolve));
          }
          yield Buffer.from(piece('', 'stop') + DONE);
        })(),
      }),
    });
    const answer = await lane.begin(path, { ...body, stream: true });
    await sleep(150);
    const held = seen.pulled;
    await sleep(150);
    expect(seen.pulled).toBe(held);
    expect(held).toBeLessThan(500);
    answer.resume();
    await once(answer, 'end');
    expect(seen.pulled).toBe(1_000);
    expect(lane.records[0]?.outcome).toMatchObject({ ok: true });
  });
});

describe('the head of a stream', () => {
  it('says what it is, and that nobody may hold it back', async () => {
    const lane = await startLane({ vendor: () => ({ headers: EVENTS, body: piece('Hi', 'stop') + DONE }) });
    const { headers } = await lane.ask('/v1/chat/completions', { ...CHAT, stream: true });
    expect(headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
      'x-request-id': expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    expect(headers['content-length']).toBeUndefined();
  });

  it('names what was left out, and no name can break it', async () => {
    const lane = await startLane({
      providers: { main: VENDORS.gemini },
      vendor: () => ({ headers: { 'content-type': contentType('gemini') }, body: inPieces(transcript('gemini', 'text')) }),
    });
    const { status, headers } = await lane.ask('/v1/chat/completions', {
      ...CHAT,
      stream: true,
      'x\r\nset-cookie: a=b': 1,
      ünï: 2,
      [`y${'z'.repeat(9_000)}`]: 3,
    });
    expect(status).toBe(200);
    expect(headers['set-cookie']).toBeUndefined();
    expect(String(headers['x-hubgate-dropped']).length).toBeLessThanOrEqual(2_000);
    expect(headers['x-hubgate-dropped']).toContain('?n?');
  });

  it('is sent with the first event, not with the request', async () => {
    const go = Promise.withResolvers<void>();
    const lane = await startLane({
      vendor: () => ({
        headers: EVENTS,
        body: (async function* (): AsyncGenerator<Buffer> {
          await go.promise;
          yield Buffer.from('data: {"half":');
          throw new GatewayError('upstream_overloaded');
        })(),
      }),
    });
    const asked = lane.ask('/v1/chat/completions', { ...CHAT, stream: true });
    await sleep(30);
    go.resolve();
    const { status, json } = await asked;
    expect(status).toBe(503);
    expect(json).toMatchObject({ error: { code: 'overloaded' } });
  });
});
