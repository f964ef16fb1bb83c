import { describe, expect, it } from 'vitest';
import { GatewayError } from '../../../../../../src/core/errors.ts';
import type { JsonObject } from '../../../../../../src/core/json.ts';
import { openaiChat } from '../../../../../../src/lanes/models/formats/openai-chat/openai-chat.ts';

const read = (body: JsonObject) => openaiChat.readRequest({ model: 'm', messages: [{ role: 'user', content: 'hi' }], ...body });
const turns = (...messages: JsonObject[]) => read({ messages }).turns;

function refusal(body: JsonObject): string {
  try {
    read(body);
  } catch (error) {
    expect(error).toBeInstanceOf(GatewayError);
    expect((error as GatewayError).code).toBe('bad_request');
    return (error as GatewayError).message;
  }
  return 'not refused';
}

describe('reading a chat request', () => {
  it('takes every field that the neutral form has', () => {
    const ask = read({
      stream: true,
      max_completion_tokens: 10,
      max_tokens: 99,
      temperature: 0.5,
      top_p: 0.9,
      top_k: 4,
      stop: 'END',
      seed: 7,
      frequency_penalty: 0.1,
      presence_penalty: 0.2,
      parallel_tool_calls: false,
      reasoning_effort: 'xhigh',
      safety_identifier: 'u1',
      user: 'u2',
      service_tier: 'flex',
      response_format: { type: 'json_schema', json_schema: { name: 'a', schema: { type: 'object' }, strict: true } },
    });
    expect(ask).toEqual({
      model: 'm',
      stream: true,
      system: [],
      turns: [{ role: 'user', parts: [{ type: 'text', text: 'hi' }] }],
      tools: [],
      maxTokens: 10,
      temperature: 0.5,
      topP: 0.9,
      topK: 4,
      stop: ['END'],
      seed: 7,
      frequencyPenalty: 0.1,
      presencePenalty: 0.2,
      parallelTools: false,
      reasoning: { effort: 'xhigh' },
      user: 'u1',
      serviceTier: 'flex',
      output: { type: 'schema', name: 'a', schema: { type: 'object' }, strict: true },
      unread: [],
    });
  });

  it('takes system and developer messages before all others as the system text, later ones as turns', () => {
    const ask = read({
      messages: [
        { role: 'system', content: 'one' },
        { role: 'developer', content: [{ type: 'text', text: 'two' }] },
        { role: 'user', content: 'hi' },
        { role: 'system', content: 'three' },
      ],
    });
    expect(ask.system.map(({ text }) => text)).toEqual(['one', 'two']);
    expect(ask.turns.map(({ role }) => role)).toEqual(['user', 'system']);
  });

  it('takes every kind of part', () => {
    const content = [
      { type: 'text', text: 'see', prompt_cache_breakpoint: { mode: 'explicit', ttl: '30m' } },
      { type: 'image_url', image_url: { url: 'data:image/PNG;base64,AAAA', detail: 'original' } },
      { type: 'image_url', image_url: 'https://x.test/a.png' },
      { type: 'input_audio', input_audio: { data: 'BBBB', format: 'wav' } },
      { type: 'file', file: { file_data: 'data:application/pdf;base64,CCCC', filename: 'a.pdf' } },
      { type: 'file', file: { file_id: 'file-1' } },
      { type: 'file', file: { file_data: 'DDDD' } },
      { type: 'text', text: 'end', cache_control: { type: 'ephemeral' } },
    ];
    expect(turns({ role: 'user', content })[0]?.parts).toEqual([
      { type: 'text', text: 'see', cache: { ttl: '30m' } },
      { type: 'image', source: { type: 'base64', mediaType: 'image/png', data: 'AAAA' }, detail: 'original' },
      { type: 'image', source: { type: 'url', url: 'https://x.test/a.png' } },
      { type: 'audio', data: 'BBBB', format: 'wav' },
      { type: 'document', source: { type: 'base64', mediaType: 'application/pdf', data: 'CCCC' }, name: 'a.pdf' },
      { type: 'document', source: { type: 'file', id: 'file-1' } },
      { type: 'document', source: { type: 'base64', mediaType: 'application/pdf', data: 'DDDD' } },
      { type: 'text', text: 'end', cache: {} },
    ]);
  });

  it('joins the answers of tools into one turn and leaves the user his own', () => {
    const read = turns(
      { role: 'user', content: 'go' },
      {
        role: 'assistant',
        content: null,
        tool_calls: [
          { id: 'a', type: 'function', function: { name: 'f', arguments: '{"x": 1.0}' } },
          { id: 'b', type: 'custom', custom: { name: 'g', input: 'raw "text"' } },
        ],
      },
      { role: 'tool', tool_call_id: 'a', content: 'one' },
      { role: 'tool', tool_call_id: 'b', content: [{ type: 'text', text: 'two' }] },
      { role: 'user', content: 'and?' },
    );
    expect(read).toEqual([
      { role: 'user', parts: [{ type: 'text', text: 'go' }] },
      {
        role: 'assistant',
        parts: [
          { type: 'call', id: 'a', name: 'f', arguments: '{"x": 1.0}' },
          { type: 'call', id: 'b', name: 'g', arguments: '{"input":"raw \\"text\\""}' },
        ],
      },
      {
        role: 'user',
        parts: [
          { type: 'result', callId: 'a', parts: [{ type: 'text', text: 'one' }] },
          { type: 'result', callId: 'b', parts: [{ type: 'text', text: 'two' }] },
        ],
      },
      { role: 'user', parts: [{ type: 'text', text: 'and?' }] },
    ]);
  });

  it('takes reasoning back with its seals, and the seal of a call', () => {
    const [turn] = turns({
      role: 'assistant',
      reasoning_content: 'AB',
      reasoning_details: [
        { type: 'reasoning.text', text: 'A', signature: 's1', format: 'anthropic', index: 0 },
        { type: 'reasoning.encrypted', data: 'd1', format: 'anthropic-claude-v1', index: 1 },
        { type: 'reasoning.text', text: 'B', index: 2 },
      ],
      content: 'said',
      refusal: 'no',
      tool_calls: [
        { id: 'a', function: { name: 'f', arguments: '{}' }, extra_content: { google: { thought_signature: 'hubgate:anthropic:z' } } },
      ],
    });
    expect(turn?.parts).toEqual([
      { type: 'reasoning', text: 'A', seal: { family: 'anthropic', value: 's1' } },
      { type: 'reasoning', text: '', seal: { family: 'anthropic', value: 'd1' }, hidden: true },
      { type: 'reasoning', text: 'B' },
      { type: 'text', text: 'said' },
      { type: 'refusal', text: 'no' },
      { type: 'call', id: 'a', name: 'f', arguments: '{}', seal: { family: 'anthropic', value: 'z' } },
    ]);
  });

  it.each([
    ['auto', { type: 'auto' }],
    ['none', { type: 'none' }],
    ['required', { type: 'required' }],
    [
      { type: 'function', function: { name: 'f' } },
      { type: 'tool', name: 'f' },
    ],
    [
      { type: 'allowed_tools', allowed_tools: { mode: 'required', tools: [{ type: 'function', function: { name: 'f' } }] } },
      { type: 'allowed', names: ['f'], required: true },
    ],
  ])('takes the tool choice %j', (wire, neutral) => {
    expect(read({ tool_choice: wire }).toolChoice).toEqual(neutral);
  });

  it('names what it has no place for', () => {
    const ask = read({
      logprobs: true,
      metadata: { a: 'b' },
      unheard_of: 1,
      n: 1,
      store: false,
      stream_options: { include_usage: true },
      logit_bias: null,
      functions: null,
      tools: [
        { type: 'function', function: { name: 'f', strict: null } },
        { type: 'custom', custom: { name: 'g' } },
      ],
      tool_choice: { type: 'custom', custom: { name: 'g' } },
      messages: [{ role: 'user', content: 'hi', name: 'Ann' }],
    });
    expect(ask.unread).toEqual(['logprobs', 'metadata', 'unheard_of', 'messages[0].name', 'tools[1] (custom)', 'tool_choice (custom)']);
    expect(ask.tools).toEqual([{ name: 'f' }]);
  });

  it.each([
    [{ n: 2 }, 'n: this target gives one answer; ask again for more.'],
    [{ functions: [] }, /^functions: .*use tools/],
    [{ function_call: 'auto' }, /^function_call: .*use tools/],
    [{ messages: 'hi' }, 'messages: must be a list.'],
    [{ messages: [{ role: 'function', content: 'x' }] }, /^messages\[0\]\.role: .*use tools/],
    [{ messages: [{ role: 'user', content: [{ type: 'video' }] }] }, /^messages\[0\]\.content\[0\]\.type/],
    [
      { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'ftp://x' } }] }] },
      /^messages\[0\]\.content\[0\]\.image_url\.url/,
    ],
    [{ messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:image/png,AA' } }] }] }, /base64/],
    [{ messages: [{ role: 'tool', content: 'x' }] }, 'messages[0].tool_call_id: must be a text.'],
    [{ temperature: 'hot' }, 'temperature: must be a number.'],
    [{ reasoning_effort: 'huge' }, /^reasoning_effort: must be one of/],
    [{ response_format: { type: 'grammar' } }, /^response_format\.type/],
    [{ tool_choice: 'some' }, /^tool_choice/],
  ])('refuses %j', (body, message) => {
    expect(refusal(body)).toMatch(message);
  });
});
