import { describe, expect, it } from 'vitest';
import type { ChatRequest } from '../../../../../src/core/chat.ts';
import { userId } from '../../../../../src/lanes/models/formats/_user-id.ts';
import { anthropicMessages } from '../../../../../src/lanes/models/formats/anthropic-messages/anthropic-messages.ts';
import { bedrockConverse } from '../../../../../src/lanes/models/formats/bedrock-converse/bedrock-converse.ts';
import { openaiChat } from '../../../../../src/lanes/models/formats/openai-chat/openai-chat.ts';
import { openaiResponses } from '../../../../../src/lanes/models/formats/openai-responses/openai-responses.ts';

const turns: ChatRequest['turns'] = [{ role: 'user', parts: [{ type: 'text', text: 'hi' }] }];
const ask = (user: string): ChatRequest => ({ model: 'm', stream: false, system: [], turns, tools: [], user, unread: [] });

describe('the user of a caller who speaks another format', () => {
  it('is the first half of a SHA-256 in hex', () => {
    expect(userId('abc')).toBe('ba7816bf8f01cfea414140de5dae2223');
  });

  it.each([
    [openaiChat, (id: string) => ({ user: id })],
    [openaiResponses, (id: string) => ({ safety_identifier: id })],
    [anthropicMessages, (id: string) => ({ metadata: { user_id: id } })],
    [bedrockConverse, (id: string) => ({ requestMetadata: { user: id } })],
  ])('goes to $0.format as a hash, and nothing of it is called dropped', (codec, field) => {
    for (const user of ['ann@example.com', `user_${'0'.repeat(154)}`, 'Jürgen|1']) {
      const { body, dropped } = codec.writeRequest(ask(user), { model: 'm', family: 'f' });
      expect(body).toMatchObject(field(userId(user)));
      expect(JSON.stringify(body)).not.toContain(user);
      expect(dropped).toEqual([]);
    }
  });
});
