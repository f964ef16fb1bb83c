import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Payload, Segment } from '../../../../src/core/call.ts';
import type { JsonObject } from '../../../../src/core/json.ts';
import { PassedChunk, PassedReply } from '../../../../src/lanes/models/passing/passed.ts';
import { modelSegments } from '../../../../src/lanes/models/segments.ts';

const input = (body: JsonObject): Payload => ({ model: 'm', stream: false, body });
const found = (payload: Payload): Segment[] => [...modelSegments.segments(payload)];
const short = (payload: Payload): string[] => found(payload).map(({ origin, path, text }) => `${origin} ${path} ${text}`);

/** What a JSON pointer leads to. */
function at(payload: unknown, pointer: string): unknown {
  return pointer
    .split('/')
    .slice(1)
    .reduce((value, key) => (value as Record<string, unknown>)[key.replaceAll('~1', '/').replaceAll('~0', '~')], payload);
}

const CHAT = input({
  model: 'm',
  messages: [
    { role: 'system', content: 'Be kind' },
    { role: 'developer', content: [{ type: 'text', text: 'Be short' }] },
    {
      role: 'user',
      name: 'bob',
      content: [
        { type: 'text', text: 'Look' },
        { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } },
        { type: 'file', file: { file_data: 'BBBB', filename: 'a.pdf' } },
      ],
    },
    {
      role: 'assistant',
      content: null,
      refusal: 'No',
      reasoning_content: 'Hm',
      tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'find', arguments: '{"q":"x"}' } }],
    },
    { role: 'tool', tool_call_id: 'call_1', content: 'It is 5' },
  ],
  tools: [{ type: 'function', function: { name: 'find', parameters: { type: 'object' } } }],
  user: 'user-7',
});
const MESSAGES = input({
  model: 'm',
  system: [{ type: 'text', text: 'Be kind', cache_control: { type: 'ephemeral' } }],
  messages: [
    { role: 'user', content: 'Hello' },
    {
      role: 'assistant',
      content: [
        { type: 'thinking', thinking: 'Hm', signature: 'SIG' },
        { type: 'redacted_thinking', data: 'SEALED' },
        { type: 'text', text: 'Wait' },
        { type: 'tool_use', id: 'toolu_1', name: 'find', input: { q: 'x', deep: { 'a/b~c': ['y', 5] } } },
      ],
    },
    {
      role: 'user',
      content: [
        { type: 'tool_result', tool_use_id: 'toolu_1', content: [{ type: 'text', text: 'It is 5' }] },
        { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } },
        { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'A plain document' } },
      ],
    },
  ],
});
const RESPONSES = input({
  model: 'm',
  instructions: 'Be kind',
  input: [
    {
      role: 'user',
      content: [
        { type: 'input_text', text: 'Hello' },
        { type: 'input_image', image_url: 'data:image/png;base64,AAAA' },
      ],
    },
    { type: 'reasoning', id: 'rs_1', summary: [{ type: 'summary_text', text: 'Hm' }], encrypted_content: 'SEALED' },
    { type: 'function_call', id: 'fc_1', call_id: 'call_1', name: 'find', arguments: '{"q":"x"}' },
    { type: 'custom_tool_call', id: 'ct_1', call_id: 'call_2', name: 'run', input: 'print(1)' },
    { type: 'function_call_output', call_id: 'call_1', output: 'It is 5' },
  ],
  text: { format: { type: 'json_schema', name: 'n', schema: {} } },
});

describe('texts of a request', () => {
  it('in OpenAI chat', () => {
    expect(short(CHAT)).toEqual([
      'system /body/messages/0/content Be kind',
      'system /body/messages/1/content/0/text Be short',
      'user /body/messages/2/content/0/text Look',
      'assistant /body/messages/3/refusal No',
      'assistant /body/messages/3/reasoning_content Hm',
      'arguments /body/messages/3/tool_calls/0/function/arguments {"q":"x"}',
      'result /body/messages/4/content It is 5',
    ]);
  });

  it('in Anthropic messages', () => {
    expect(short(MESSAGES)).toEqual([
      'system /body/system/0/text Be kind',
      'user /body/messages/0/content Hello',
      'assistant /body/messages/1/content/0/thinking Hm',
      'assistant /body/messages/1/content/2/text Wait',
      'arguments /body/messages/1/content/3/input/q x',
      'arguments /body/messages/1/content/3/input/deep/a~1b~0c/0 y',
      'result /body/messages/2/content/0/content/0/text It is 5',
      'user /body/messages/2/content/2/source/data A plain document',
    ]);
  });

  it('in OpenAI responses', () => {
    expect(short(RESPONSES)).toEqual([
      'system /body/instructions Be kind',
      'user /body/input/0/content/0/text Hello',
      'assistant /body/input/1/summary/0/text Hm',
      'arguments /body/input/2/arguments {"q":"x"}',
      'arguments /body/input/3/input print(1)',
      'result /body/input/4/output It is 5',
    ]);
    expect(short(input({ model: 'm', input: 'Hello' }))).toEqual(['user /body/input Hello']);
    expect(short(input({ model: 'm', input: ['one', 'two'] }))).toEqual(['user /body/input/0 one', 'user /body/input/1 two']);
  });

  it('in places that few know', () => {
    expect(
      short(
        input({
          prediction: { type: 'content', content: 'Foreseen' },
          prompt: {
            id: 'pmpt_1',
            variables: { city: 'Bern', 'a/b': { type: 'input_text', text: 'Part' }, pic: { type: 'input_image', file_id: 'f' } },
          },
          messages: [{ role: 'assistant', function_call: { name: 'f', arguments: '{"q":1}' } }],
        }),
      ),
    ).toEqual([
      'user /body/prediction/content Foreseen',
      'user /body/prompt/variables/city Bern',
      'user /body/prompt/variables/a~1b/text Part',
      'arguments /body/messages/0/function_call/arguments {"q":1}',
    ]);
  });

  it('that describe tools and the fields of their schemas', () => {
    const schema = {
      type: 'object',
      description: 'All',
      properties: { description: { type: 'string', description: 'One', enum: ['x'], default: { description: 'no' } } },
    };
    expect(
      short(
        input({
          tools: [
            { type: 'function', function: { name: 'f', description: 'Finds', parameters: schema } },
            { name: 'g', description: 'Gives', input_schema: { type: 'object' } },
          ],
          functions: [{ name: 'h', description: 'Has' }],
        }),
      ),
    ).toEqual([
      'system /body/tools/0/function/description Finds',
      'system /body/tools/0/function/parameters/description All',
      'system /body/tools/0/function/parameters/properties/description/description One',
      'system /body/tools/1/description Gives',
      'system /body/functions/0/description Has',
    ]);
  });

  it('of Claude Code, all of them', () => {
    const body = JSON.parse(
      readFileSync(`${import.meta.dirname}/../../../fixtures/models/anthropic-messages/claude-code-request.json`, 'utf8'),
    ) as JsonObject;
    const payload = input(body);
    const segments = found(payload);
    expect(segments.length).toBeGreaterThan(3);
    for (const { path, text } of segments) expect(at(payload, path)).toBe(text);
  });
});

describe('texts of an answer', () => {
  it('whole', () => {
    const chat = {
      choices: [
        { index: 0, message: { role: 'assistant', content: 'Hi', tool_calls: [{ id: 'c', function: { name: 'f', arguments: '{}' } }] } },
      ],
    };
    expect(short({ body: { id: 'x', model: 'm', ...chat } })).toEqual([
      'assistant /body/choices/0/message/content Hi',
      'arguments /body/choices/0/message/tool_calls/0/function/arguments {}',
    ]);
    const messages = {
      content: [
        { type: 'text', text: 'Hi' },
        { type: 'tool_use', id: 't', name: 'f', input: { a: 'b' } },
      ],
    };
    expect(short({ body: { id: 'x', role: 'assistant', ...messages } })).toEqual([
      'assistant /body/content/0/text Hi',
      'arguments /body/content/1/input/a b',
    ]);
    const responses = {
      output: [
        { type: 'reasoning', summary: [{ type: 'summary_text', text: 'Hm' }], encrypted_content: 'SEALED' },
        {
          type: 'message',
          role: 'assistant',
          content: [
            { type: 'output_text', text: 'Hi', annotations: [] },
            { type: 'refusal', refusal: 'No' },
          ],
        },
        { type: 'function_call', name: 'f', call_id: 'c', arguments: '{}' },
      ],
    };
    expect(short({ body: responses })).toEqual([
      'assistant /body/output/0/summary/0/text Hm',
      'assistant /body/output/1/content/0/text Hi',
      'assistant /body/output/1/content/1/refusal No',
      'arguments /body/output/2/arguments {}',
    ]);
  });

  it('spoken, called in the old way, cited, and found by tools of the vendor', () => {
    const message = {
      role: 'assistant',
      content: null,
      audio: { id: 'a', data: 'AAAA', transcript: 'Hello' },
      function_call: { name: 'f', arguments: '{}' },
    };
    expect(short({ body: { choices: [{ index: 0, message }] } })).toEqual([
      'assistant /body/choices/0/message/audio/transcript Hello',
      'arguments /body/choices/0/message/function_call/arguments {}',
    ]);
    const content = [
      { type: 'server_tool_use', id: 's', name: 'web_search', input: { query: 'q' } },
      {
        type: 'web_search_tool_result',
        tool_use_id: 's',
        content: [{ type: 'web_search_result', title: 'Page', url: 'u', encrypted_content: 'SEALED' }],
      },
      { type: 'text', text: 'Hi', citations: [{ type: 'web_search_result_location', title: 'Page', cited_text: 'said' }] },
    ];
    expect(short({ body: { role: 'assistant', content } })).toEqual([
      'arguments /body/content/0/input/query q',
      'result /body/content/1/content/0/title Page',
      'assistant /body/content/2/text Hi',
      'assistant /body/content/2/citations/0/title Page',
      'assistant /body/content/2/citations/0/cited_text said',
    ]);
  });

  it('of vendors who say what they thought', () => {
    const delta = { reasoning: 'Hm', reasoning_details: [{ type: 'reasoning.text', text: 'Hm', signature: 'SIG', format: 'x' }] };
    expect(short({ data: { choices: [{ index: 0, delta }] } })).toEqual([
      'assistant /data/choices/0/delta/reasoning Hm',
      'assistant /data/choices/0/delta/reasoning_details/0/text Hm',
    ]);
    expect(short(input({ model: 'm', input: 'x', reasoning: { effort: 'low', summary: 'auto' } }))).toEqual(['user /body/input x']);
  });

  it.each([
    ['chat', { choices: [{ index: 0, delta: { content: 'Hi' } }] }, ['assistant /data/choices/0/delta/content Hi']],
    [
      'chat, a call',
      { choices: [{ index: 0, delta: { tool_calls: [{ index: 0, id: 'c', function: { name: 'f', arguments: '{"a' } }] } }] },
      ['arguments /data/choices/0/delta/tool_calls/0/function/arguments {"a'],
    ],
    [
      'messages, text',
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hi' } },
      ['assistant /data/delta/text Hi'],
    ],
    [
      'messages, a call',
      { type: 'content_block_delta', index: 0, delta: { type: 'input_json_delta', partial_json: '{"a' } },
      ['arguments /data/delta/partial_json {"a'],
    ],
    ['messages, a signature', { type: 'content_block_delta', index: 0, delta: { type: 'signature_delta', signature: 'SIG' } }, []],
    [
      'messages, the start of a call',
      { type: 'content_block_start', index: 0, content_block: { type: 'tool_use', id: 't', name: 'f', input: {} } },
      [],
    ],
    ['responses, text', { type: 'response.output_text.delta', item_id: 'i', delta: 'Hi' }, ['assistant /data/delta Hi']],
    ['responses, the whole text', { type: 'response.output_text.done', item_id: 'i', text: 'Hi' }, ['assistant /data/text Hi']],
    ['responses, a call', { type: 'response.function_call_arguments.delta', item_id: 'i', delta: '{"a' }, ['arguments /data/delta {"a']],
    [
      'responses, the end of a call',
      { type: 'response.function_call_arguments.done', item_id: 'i', name: 'f', arguments: '{}' },
      ['arguments /data/arguments {}'],
    ],
    [
      'responses, an item',
      { type: 'response.output_item.done', item: { id: 'i', type: 'message', content: [{ type: 'output_text', text: 'Hi' }] } },
      ['assistant /data/item/content/0/text Hi'],
    ],
  ] as const)('in a chunk of %s', (_, data, expected) => {
    expect(short({ data })).toEqual(expected);
  });

  it('on the chunk that completes it: not seen twice, but changed in both', () => {
    const chunk = { data: { choices: [] }, reply: { body: { choices: [{ message: { content: 'Hi' } }] } } };
    expect(short(chunk)).toEqual([]);
    expect(modelSegments.mapText(chunk, () => 'X').reply).toEqual({ body: { choices: [{ message: { content: 'X' } }] } });
  });
});

describe('mapText', () => {
  it('that changes nothing gives the very object', () => {
    for (const payload of [CHAT, MESSAGES, RESPONSES]) expect(modelSegments.mapText(payload, ({ text }) => text)).toBe(payload);
    const reply = new PassedReply(Buffer.from('{"choices":[{"message":{"content":"Hi"}}]}'));
    expect(modelSegments.mapText(reply, ({ text }) => text)).toBe(reply);
    const chunk = new PassedChunk(Buffer.from('data: {"choices":[{"delta":{"content":"Hi"}}]}\n\n'));
    expect(modelSegments.mapText(chunk, ({ text }) => text)).toBe(chunk);
  });

  it('changes texts and nothing else, and leaves what it was given as it was', () => {
    for (const payload of [CHAT, MESSAGES, RESPONSES]) {
      const before = JSON.stringify(payload);
      const changed = modelSegments.mapText(payload, ({ text }) => `<${text}>`);
      expect(JSON.stringify(payload)).toBe(before);
      for (const { path, text } of found(payload)) expect(at(changed, path)).toBe(`<${text}>`);
      expect(modelSegments.mapText(changed, ({ text }) => text.slice(1, -1))).toEqual(payload);
      for (const kept of ['AAAA', 'BBBB', 'SIG', 'SEALED', 'call_1', 'toolu_1', 'find', 'bob', 'user-7']) {
        const count = (text: string): number => text.split(`"${kept}"`).length + text.split(`,${kept}"`).length;
        expect(count(JSON.stringify(changed))).toBe(count(before));
      }
    }
  });

  it('drops the tokens of a text that it changes, and only of that', () => {
    const logprobs = { content: [{ token: 'secret', bytes: [115], logprob: 0, top_logprobs: [] }], refusal: null };
    const choice = (content: string) => ({ index: 0, message: { content }, logprobs });
    const hide = (payload: Payload): unknown => modelSegments.mapText(payload, ({ text }) => text.replace('secret', '***'));
    expect(hide({ body: { choices: [choice('secret'), choice('open')] } })).toEqual({
      body: { choices: [{ ...choice('***'), logprobs: null }, choice('open')] },
    });
    expect(hide({ data: { choices: [{ index: 0, delta: { content: 'secret' }, logprobs }] } })).toEqual({
      data: { choices: [{ index: 0, delta: { content: '***' }, logprobs: null }] },
    });
    const done = { type: 'response.output_text.done', text: 'secret', logprobs: logprobs.content };
    expect(hide({ data: done })).toEqual({ data: { ...done, text: '***', logprobs: [] } });
    expect(JSON.stringify(hide({ body: { output: [{ type: 'message', content: [{ ...done, type: 'output_text' }] }] } }))).not.toContain(
      'secret',
    );
    expect(hide({ body: { logprobs: true, messages: [{ role: 'user', content: 'secret' }] } })).toMatchObject({ body: { logprobs: true } });
  });

  it('keeps the name of an event, and gives none to one that has none', () => {
    const named = new PassedChunk(Buffer.from('event: content_block_delta\ndata: {"delta":{"type":"text_delta","text":"Hi"}}\n\n'));
    expect(modelSegments.mapText(named, () => 'X')).toEqual({
      event: 'content_block_delta',
      data: { delta: { type: 'text_delta', text: 'X' } },
    });
    const bare = modelSegments.mapText(new PassedChunk(Buffer.from('data: {"choices":[{"delta":{"content":"Hi"}}]}\n\n')), () => 'X');
    expect(bare).toEqual({ data: { choices: [{ delta: { content: 'X' } }] } });
    expect('event' in bare).toBe(false);
  });
});
