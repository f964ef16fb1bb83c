import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { GatewayError } from '../../../../../src/core/errors.ts';
import type { BoundPolicy } from '../../../../../src/pipeline/chain.ts';
import { startLane, type StartedLane } from '../doors/start-lane.ts';
import { CHAT, chunk, DONE, EVENTS, type Format, MESSAGES, VENDORS } from '../doors/streams.ts';

const FORBIDDEN = 'forbidden';
const refusing: BoundPolicy = {
  name: 'test',
  stage: 'guard',
  hooks: {
    onReply(_, reply) {
      if (JSON.stringify(reply).includes(FORBIDDEN)) throw new GatewayError('rule_refused', 'Not that.', { rule: 'words' });
    },
  },
};
const guarded = (format: Format, frames: string): Promise<StartedLane> =>
  startLane({ providers: { main: VENDORS[format] }, vendor: () => ({ headers: EVENTS, body: frames }), policies: [refusing] });
const said = (more: object, index = 0): string => chunk({ choices: [{ index, ...more }] });
const stop = (index = 0): string => said({ delta: {}, finish_reason: 'stop' }, index);

describe('a guard that refuses sees all of a stream that passes', () => {
  it.each([
    [
      'another choice',
      said({ delta: { content: 'fine' } }) + said({ delta: { content: 'forb' } }, 1) + said({ delta: { content: 'idden' } }, 1) + stop(1),
    ],
    ['a refusal', said({ delta: { refusal: 'forb' } }) + said({ delta: { refusal: 'idden' } })],
    ['a transcript', said({ delta: { audio: { transcript: 'forb' } } }) + said({ delta: { audio: { transcript: 'idden' } } })],
    [
      'the old call',
      said({ delta: { function_call: { name: 'f', arguments: 'forb' } } }) + said({ delta: { function_call: { arguments: 'idden' } } }),
    ],
    ['a field of tomorrow', said({ delta: { tomorrow: 'forb' } }) + said({ delta: { tomorrow: 'idden' } })],
    ['annotations', said({ delta: { annotations: [{ type: 'url_citation', url_citation: { title: FORBIDDEN } }] } })],
  ])('of chat: %s', async (_, frames) => {
    const lane = await guarded('openai-chat', frames + stop() + DONE);
    const { status, text } = await lane.ask('/v1/chat/completions', { ...CHAT, n: 2, stream: true });
    expect(status).toBe(403);
    expect(text).not.toMatch(/forb|idden/);
    const open = await guarded('openai-chat', frames.replaceAll('idden', 'est').replaceAll('forbest', 'forest') + stop() + DONE);
    expect((await open.ask('/v1/chat/completions', { ...CHAT, n: 2, stream: true })).status).toBe(200);
  });

  it('of messages: what a tool of the vendor found', async () => {
    const file = `${import.meta.dirname}/../../../../fixtures/models/anthropic-messages/server-tool.sse`;
    const frames = readFileSync(file, 'utf8').replace('"title":"Weather"', `"title":"${FORBIDDEN}"`);
    const lane = await guarded('anthropic-messages', frames);
    const { status, text } = await lane.ask('/v1/messages', { ...MESSAGES, stream: true });
    expect(status).toBe(403);
    expect(text).not.toContain(FORBIDDEN);
  });

  it('and nothing that cannot be read passes by it', async () => {
    const lane = await guarded('openai-chat', `data: {"choices":[{"forbidden"}\n\n${said({ delta: { content: 'a' } })}${stop()}${DONE}`);
    const { status, text } = await lane.ask('/v1/chat/completions', { ...CHAT, stream: true });
    expect(status).toBe(502);
    expect(text).not.toContain(FORBIDDEN);
  });
});

describe('what a stream that failed is charged with', () => {
  const overloaded = 'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n';
  const start = 'event: message_start\ndata: {"type":"message_start","message":{"id":"m","content":[]}}\n\n';
  const usage = async (body: string): Promise<unknown> => {
    const lane = await startLane({ providers: { main: VENDORS['anthropic-messages'] }, vendor: () => ({ headers: EVENTS, body }) });
    await lane.ask('/v1/messages', { ...MESSAGES, stream: true });
    return lane.records[0]?.outcome.usage;
  };

  it('is nothing where the failure was the first event, and an estimate where something came', async () => {
    expect(await usage(overloaded)).toBeUndefined();
    expect(await usage(start + overloaded)).toMatchObject({ estimated: true });
  });
});
