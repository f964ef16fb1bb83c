import { describe, expect, it } from 'vitest';
import { ANONYMOUS } from '../../../src/core/consumer.ts';
import { Redactor } from '../../../src/core/redact.ts';
import { toolSegments } from '../../../src/lanes/tools/segments.ts';
import { LiveCall } from '../../../src/pipeline/live-call.ts';
import { createLog } from '../../../src/telemetry/log.ts';

const log = createLog({ level: 'silent', redactor: new Redactor() });

function call(): LiveCall<'tools'> {
  const input = { name: 'x', tool: undefined, arguments: {}, params: {} };
  return new LiveCall({ id: '1', lane: 'tools', operation: 'tools/call', route: '', consumer: ANONYMOUS, log, input, codec: toolSegments });
}

describe('abort', () => {
  it('is heard once, with the first reason, by the signal and by whoever listens to the call', () => {
    const one = call();
    const heard: unknown[] = [];
    one.cancellation.addEventListener('abort', { handleEvent: () => heard.push(one.cancellation.reason) });
    one.signal.addEventListener('abort', () => heard.push(one.signal.reason));
    one.abort('left');
    one.abort('again');
    expect(heard).toEqual(['left', 'left']);
  });

  it('is there for a signal that is asked for later', () => {
    const one = call();
    one.abort('left');
    expect([one.signal.aborted, one.signal.reason]).toEqual([true, 'left']);
  });

  it('is not heard by who has stopped listening', () => {
    const one = call();
    const heard: string[] = [];
    const [first, second] = ['first', 'second'].map((name) => ({ handleEvent: () => heard.push(name) }));
    one.cancellation.addEventListener('abort', first!);
    one.cancellation.addEventListener('abort', second!);
    one.cancellation.removeEventListener('abort', first!);
    one.abort('left');
    expect(heard).toEqual(['second']);
  });
});
