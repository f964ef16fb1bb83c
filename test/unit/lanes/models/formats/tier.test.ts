import { describe, expect, it } from 'vitest';
import type { ChatCodec } from '../../../../../src/core/contracts/provider.ts';
import type { JsonObject } from '../../../../../src/core/json.ts';
import { anthropicMessages } from '../../../../../src/lanes/models/formats/anthropic-messages/anthropic-messages.ts';
import { openaiChat } from '../../../../../src/lanes/models/formats/openai-chat/openai-chat.ts';
import { openaiResponses } from '../../../../../src/lanes/models/formats/openai-responses/openai-responses.ts';

const chat = (tier: JsonObject): JsonObject => ({
  choices: [{ index: 0, message: { content: 'a' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 1, completion_tokens: 2 },
  ...tier,
});
const response = (tier: JsonObject): JsonObject => ({
  status: 'completed',
  output: [],
  usage: { input_tokens: 1, output_tokens: 2 },
  ...tier,
});
const message = (tier: JsonObject): JsonObject => ({
  content: [],
  stop_reason: 'end_turn',
  usage: { input_tokens: 1, output_tokens: 2, ...tier },
});
type Frames = (body: JsonObject) => readonly JsonObject[];
const chatFrames: Frames = (body) => [{ ...body, choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }];
const responseFrames: Frames = (body) => [{ type: 'response.completed', response: body }];
const messageFrames: Frames = ({ usage }) => [
  { type: 'message_start', message: { content: [], usage } },
  { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 2 } },
];

const USUAL = [
  {},
  { service_tier: null },
  { service_tier: 'default' },
  { service_tier: 'standard', speed: 'standard' },
  { service_tier: 'on_demand' },
];
const OPENAI = ['priority', 'flex', 'scale'].map((tier) => [{ service_tier: tier }, tier] as const);
const ANTHROPIC = [
  [{ service_tier: 'priority' }, 'priority'],
  [{ service_tier: 'batch' }, 'batch'],
  [{ service_tier: 'standard', speed: 'fast' }, 'fast'],
] as const;

describe('the service tier that an answer was made in', () => {
  it.each<[ChatCodec, (tier: JsonObject) => JsonObject, Frames, readonly (readonly [JsonObject, string])[]]>([
    [openaiChat, chat, chatFrames, OPENAI],
    [openaiResponses, response, responseFrames, OPENAI],
    [anthropicMessages, message, messageFrames, ANTHROPIC],
  ])('is part of the usage in $0.format where it is not the usual one', (codec, body, frames, apart) => {
    const read = (tier: JsonObject) => {
      const reader = codec.streamReader('f');
      const events = frames(body(tier)).flatMap((data) => reader.read({ event: String(data['type'] ?? ''), data: JSON.stringify(data) }));
      const streamed = events.findLast((event) => event.type === 'usage');
      return [codec.readUsage(body(tier)).usage, codec.readReply(body(tier), 'f').usage, streamed?.usage];
    };
    for (const [fields, tier] of apart)
      for (const usage of read(fields)) expect(usage).toMatchObject({ inputTokens: 1, outputTokens: 2, tier });
    for (const fields of USUAL)
      for (const usage of read(fields)) {
        expect(usage).toMatchObject({ inputTokens: 1, outputTokens: 2 });
        expect(usage).not.toHaveProperty('tier');
      }
  });
});
