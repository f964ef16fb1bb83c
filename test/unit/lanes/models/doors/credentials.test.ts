import { describe, expect, it } from 'vitest';
import { Secret } from '../../../../../src/core/secret.ts';
import { startLane } from './start-lane.ts';
import { CHAT, DONE, EVENTS, inPieces, MESSAGES, piece, SAID } from './streams.ts';
import type { BoundPolicy } from '../../../../../src/pipeline/chain.ts';

const KEY = 'sk-s3cret-0123456789';
const providers = { main: { type: 'openai', apiKey: new Secret(KEY), baseUrl: 'http://vendor.test/v1' } };
const look: BoundPolicy = {
  name: 'look',
  stage: 'transform',
  hooks: {
    async *onStream(_, chunks) {
      yield* chunks;
    },
  },
};
const stream = Buffer.from(piece('Your key ') + piece(`is ${KEY}!`) + piece('', 'stop') + DONE);

/** A server behind a base URL of one's own may echo what it was sent. */
describe('a vendor who repeats the credential of the account', () => {
  it.each([
    ['whole, passing', '/v1/chat/completions', CHAT, []],
    ['whole, converted', '/v1/messages', MESSAGES, []],
  ])('%s', async (_, path, body, policies) => {
    const answer = { ...SAID, choices: [{ index: 0, message: { role: 'assistant', content: `It is ${KEY}` }, finish_reason: 'stop' }] };
    const lane = await startLane({ providers, policies, vendor: () => ({ body: answer }) });
    const { status, text } = await lane.ask(path, body);
    expect(status).toBe(200);
    expect(text).toContain('It is');
    expect(text).not.toContain('s3cret');
  });

  it.each([
    ['streamed, passing', '/v1/chat/completions', CHAT, []],
    ['streamed, passing policies', '/v1/chat/completions', CHAT, [look]],
    ['streamed, converted', '/v1/messages', MESSAGES, []],
    ['streamed, converted, past policies', '/v1/messages', MESSAGES, [look]],
  ])('%s, in whatever pieces it comes', async (_, path, body, policies) => {
    for (const sizes of [[stream.length], [1], [7], [64], [stream.indexOf('s3cret') + 3]]) {
      const lane = await startLane({ providers, policies, vendor: () => ({ headers: EVENTS, body: inPieces(stream, sizes) }) });
      const { status, text } = await lane.ask(path, { ...body, stream: true });
      expect(status).toBe(200);
      expect(text).toContain('Your key');
      expect(text).not.toContain('s3cret');
    }
  });
});
