import { describe, expect, it, vi } from 'vitest';
import type { Dispatcher, Pool } from 'undici';
import { GatewayError } from '../../../src/core/errors.ts';
import type { UpstreamRequest, UpstreamStream } from '../../../src/core/upstream.ts';
import { StreamedAnswer } from '../../../src/upstreams/streamed-answer.ts';

/** An answer whose connection is played by the test. */
function play(more: Partial<UpstreamRequest> = {}) {
  const controller = { pause: vi.fn(), resume: vi.fn(), abort: vi.fn() };
  let handler: Dispatcher.DispatchHandler | undefined;
  const pool = { dispatch: (_: unknown, given: Dispatcher.DispatchHandler) => void (handler = given) } as unknown as Pool;
  const request: UpstreamRequest = { method: 'POST', origin: 'http://vendor.test', path: '/', headers: {}, trust: 'operator', ...more };
  const answer = new Promise<UpstreamStream>((resolve, reject) => {
    new StreamedAnswer({ pool, fresh: () => pool }, request, undefined, resolve, reject).start();
  });
  const given = controller as unknown as Dispatcher.DispatchController;
  const on = handler!;
  on.onRequestStart?.(given, undefined);
  return {
    answer,
    controller,
    head: (headers: Record<string, string> = {}, status = 200) => on.onResponseStart?.(given, status, headers),
    data: (bytes: number | string) => on.onResponseData?.(given, typeof bytes === 'string' ? Buffer.from(bytes) : Buffer.alloc(bytes)),
    end: () => on.onResponseEnd?.(given, {}),
    fail: (error: Error) => on.onResponseError?.(given, error),
  };
}

describe('a streamed answer', () => {
  it('holds the sender back once when much waits, and lets it go on when there is room', async () => {
    const { answer, controller, head, data, end } = play();
    head();
    const pieces = (await answer).body[Symbol.asyncIterator]();
    for (let i = 0; i < 10; i++) data(60_000);
    expect(controller.pause).toHaveBeenCalledTimes(1);
    for (let i = 0; i < 8; i++) await pieces.next();
    expect(controller.resume).not.toHaveBeenCalled();
    await pieces.next();
    expect(controller.resume).toHaveBeenCalledTimes(1);
    await pieces.next();
    end();
    expect((await pieces.next()).done).toBe(true);
  });

  it('keeps order between what waits and what is waited for', async () => {
    const { answer, head, data, end } = play();
    head();
    const pieces = (await answer).body[Symbol.asyncIterator]();
    data('a');
    data('b');
    expect(String((await pieces.next()).value)).toBe('a');
    const [second, third] = [await pieces.next(), pieces.next()];
    data('c');
    data('d');
    end();
    expect([String(second.value), String((await third).value), String((await pieces.next()).value)]).toEqual(['b', 'c', 'd']);
    expect((await pieces.next()).done).toBe(true);
  });

  it('gives what came before it fails, then the failure, as often as it is asked', async () => {
    const { answer, head, data, fail } = play();
    head();
    const pieces = (await answer).body[Symbol.asyncIterator]();
    data('a');
    fail(new Error('socket died'));
    expect(String((await pieces.next()).value)).toBe('a');
    for (let turn = 0; turn < 2; turn++) await expect(pieces.next()).rejects.toMatchObject({ code: 'upstream_failed' });
  });

  it('takes nothing more once its reader has left', async () => {
    vi.useFakeTimers();
    try {
      const { answer, controller, head, data } = play();
      head();
      const pieces = (await answer).body[Symbol.asyncIterator]();
      for (let i = 0; i < 10; i++) data(60_000);
      await pieces.return?.();
      expect(controller.resume).toHaveBeenCalled();
      for (let i = 0; i < 10; i++) data(60_000);
      expect(controller.pause).toHaveBeenCalledTimes(1);
      expect(controller.abort).not.toHaveBeenCalled();
      await vi.advanceTimersByTimeAsync(99);
      expect(controller.abort).not.toHaveBeenCalled();
      await vi.advanceTimersByTimeAsync(1);
      expect(controller.abort).toHaveBeenCalledTimes(1);
    } finally {
      vi.useRealTimers();
    }
  });

  it('that ends in time after its reader has left is not aborted', async () => {
    vi.useFakeTimers();
    try {
      const { answer, controller, head, end } = play();
      head();
      await (await answer).body[Symbol.asyncIterator]().return?.();
      await vi.advanceTimersByTimeAsync(50);
      end();
      await vi.advanceTimersByTimeAsync(10_000);
      expect(controller.abort).not.toHaveBeenCalled();
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  it.each(['read to its end', 'left', 'failed'])('leaves no timer behind when it is %s', async (how) => {
    vi.useFakeTimers();
    try {
      const { answer, head, end, fail } = play({ firstByteMs: 1_000, timeoutMs: 60_000 });
      head();
      const pieces = (await answer).body[Symbol.asyncIterator]();
      if (how === 'failed') fail(new Error('x'));
      else end();
      if (how === 'left') await pieces.return?.();
      else await pieces.next().catch(() => undefined);
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  it('rejects before its head, and a head that comes too late aborts', async () => {
    vi.useFakeTimers();
    try {
      const { answer, controller } = play({ firstByteMs: 100, timeoutMs: 1_000 });
      const failed = answer.catch((error: unknown) => error);
      await vi.advanceTimersByTimeAsync(100);
      expect(await failed).toMatchObject({ code: 'upstream_timeout' });
      expect(controller.abort).toHaveBeenCalledWith(expect.any(GatewayError));
    } finally {
      vi.useRealTimers();
    }
  });

  it('is not begun by an informational head', async () => {
    const { answer, head } = play();
    head({}, 103);
    expect(await Promise.race([answer, Promise.resolve('waits')])).toBe('waits');
    head({}, 200);
    expect((await answer).status).toBe(200);
  });
});
