import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { checkChatStream, checkMessagesStream, type SeenFrame } from '../../support/legal-streams.ts';

import { type Answer, ask, type Asking } from '../traffic/_ask.ts';
import { anthropic, callsAt, openai, type Stage, startStage } from '../traffic/_stage.ts';

const KEYS = { alice: 'hg_key-of-alice', bob: 'hg_key-of-bob' } as const;
const consumers = Object.entries(KEYS).map(([name, key]) => ({
  name,
  keys: [{ sha256: createHash('sha256').update(key).digest('hex') }],
}));

let stage: Stage;
beforeAll(async () => {
  stage = await startStage({
    arms: 1,
    only: ['openai', 'anthropic'],
    config: ([one]) => ({
      embedding: { model: 'hubgate-static-en' },
      consumers,
      providers: { openai: openai(one!.openai), anthropic: anthropic(one!.anthropic) },
      models: [
        { match: { model: 'gpt-*' }, targets: [{ provider: 'openai' }], policies: [{ 'semantic-cache': { threshold: 0.9 } }] },
        { match: { model: 'claude-*' }, targets: [{ provider: 'anthropic' }], policies: [{ 'semantic-cache': { scope: 'all' } }] },
      ],
    }),
  });
});
afterAll(() => stage?.stop());
beforeEach(() => stage.reset());

const calls = (): number => callsAt(stage.arms[0]!.openai) + callsAt(stage.arms[0]!.anthropic);
const say = (text: string, more: Partial<Asking> = {}, as: keyof typeof KEYS = 'alice'): Promise<Answer> =>
  ask(stage.hub.url, { model: 'gpt-5', text, ...more, headers: { authorization: `Bearer ${KEYS[as]}`, ...more.headers } });
/** The events of a stream. */
function readFrames(text: string): SeenFrame[] {
  return text
    .split('\n\n')
    .filter((frame) => frame.includes('data: '))
    .map((frame) => {
      const [, event] = /^event: (.+)$/m.exec(frame) ?? [];
      const [, data = ''] = /^data: (.+)$/m.exec(frame) ?? [];
      return { event, data: data === '[DONE]' ? data : (JSON.parse(data) as Exclude<SeenFrame['data'], string>) };
    });
}
const did = ({ headers }: Answer): unknown => headers['x-hubgate-cache'];

describe('a hub whose routes have a semantic cache', () => {
  it('asks the vendor once for a question that is asked in many ways', async () => {
    const first = await say('How do I boil an egg?');
    expect([did(first), calls()]).toEqual(['miss', 1]);
    const others = ['How do I boil an egg?', 'Please tell me how to boil an egg', 'how can I boil an egg'];
    const answers = [];
    for (const text of others) answers.push(await say(text));
    expect(answers.map(did)).toEqual(['hit', 'hit wording', 'hit wording']);
    expect(answers.map(({ text }) => text)).toEqual(others.map(() => first.text));
    // With the vectors of the model that comes with the hub.
    const near = await say('How do I actually boil an egg?');
    expect(did(near)).toMatch(/^hit 0\.9\d$/);
    const record = await stage.record(near.id);
    expect(record).toMatchObject({ attempts: 0, outcome: 'ok', events: [{ type: 'cached', detail: did(near) }, { type: 'answered' }] });
    expect(calls()).toBe(1);
  });

  it('asks again for another question, another caller, another setting', async () => {
    await say('What is the weather in Paris on 3 May?');
    const asked: readonly (readonly [string, Partial<Asking>?, 'bob'?])[] = [
      ['What is the weather in Rome on 3 May?'],
      ['What is the weather in Paris on 4 May?'],
      ['What was the weather in Paris on 3 May?'],
      ["what's the weather in Paris on 3 May", { more: { temperature: 0 } }],
      ["what's the weather in Paris on 3 May", { model: 'gpt-5-mini' }],
      ["what's the weather in Paris on 3 May", {}, 'bob'],
      ["what's the weather in Paris on 3 May", { headers: { 'x-hubgate-cache': 'bypass' } }],
    ];
    for (const [text, more, as] of asked) expect(did(await say(text, more, as))).toMatch(/^(?:miss|bypass)$/);
    expect(calls()).toBe(1 + asked.length);
    expect(did(await say("what's the weather in Paris on 3 May"))).toBe('hit wording');
    expect(calls()).toBe(1 + asked.length);
  });

  it('writes a hit as a stream, and serves what was streamed', async () => {
    const first = await say('How do I plant a tree?', { stream: true });
    expect(did(first)).toBe('miss');
    const again = await say('How to plant a tree', { stream: true });
    const whole = await say('how can i plant a tree?');
    expect([again, whole].map(did)).toEqual(['hit wording', 'hit wording']);
    expect(checkChatStream(readFrames(again.text))).toEqual([]);
    expect(whole.body.choices[0].finish_reason).toBe('stop');
    expect(calls()).toBe(1);
  });

  it('does the same in the format of Anthropic, here for all consumers', async () => {
    const messages = { model: 'claude-sonnet-5', door: 'messages' } as const;
    const first = await say('Who wrote Dracula?', messages);
    const again = await say('Can you tell me who wrote Dracula?', { ...messages, stream: true }, 'bob');
    expect([first, again].map(did)).toEqual(['miss', 'hit wording']);
    expect(checkMessagesStream(readFrames(again.text))).toEqual([]);
    expect(did(await say('Who wrote Frankenstein?', messages))).toBe('miss');
    expect(did(await say('Who wrote Dracula?', { ...messages, more: { system: 'Answer in one word.' } }))).toBe('miss');
    expect(calls()).toBe(3);
  });
});
