import { expect, it } from 'vitest';
import { learnApart } from '../../../../src/embedding/classify/learn-apart.ts';

const lesson = (examples: number) => ({
  classes: ['invoice', 'python'].map((word) => Array.from({ length: examples }, (_, at) => `${word} number ${at}`)),
  none: [],
  outside: [],
  vectors: [],
});

it('what is called off is rejected at once, in its turn or before, and the next is learnt', async () => {
  const [first, second] = [new AbortController(), new AbortController()];
  const order: string[] = [];
  const running = learnApart(lesson(400), first.signal).catch((error: unknown) => void order.push(`running ${String(error)}`));
  const waiting = learnApart(lesson(400), second.signal).catch((error: unknown) => void order.push(`waiting ${String(error)}`));
  second.abort('called off');
  await waiting;
  first.abort('called off');
  await running;
  expect(order).toEqual(['waiting called off', 'running called off']);
  expect((await learnApart(lesson(6))).scorer).toBe('linear');
  await expect(learnApart(lesson(6), AbortSignal.abort('too late'))).rejects.toBe('too late');
});
