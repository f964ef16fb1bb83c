import { describe, expect, it } from 'vitest';
import type { GatewayError } from '../../../../../../src/core/errors.ts';
import { anthropicMessages } from '../../../../../../src/lanes/models/formats/anthropic-messages/anthropic-messages.ts';

const ask = (more: object = {}) =>
  anthropicMessages.readRequest({ model: 'm', max_tokens: 9, messages: [{ role: 'user', content: 'hi' }], ...more });
const parts = (...content: object[]) => ask({ messages: [{ role: 'user', content }] }).turns[0]?.parts;

function refusal(more: object): string {
  try {
    ask(more);
  } catch (error) {
    expect(error).toMatchObject({ code: 'bad_request' });
    return (error as GatewayError).message;
  }
  throw new Error('was not refused');
}

const blocks = (...content: unknown[]) => ({ messages: [{ role: 'user', content }] });

describe('a request of a caller who speaks Anthropic', () => {
  it('is read in its shortest form', () => {
    expect(ask()).toEqual({
      model: 'm',
      stream: false,
      system: [],
      turns: [{ role: 'user', parts: [{ type: 'text', text: 'hi' }] }],
      tools: [],
      maxTokens: 9,
      unread: [],
    });
  });

  it('is read with all its settings', () => {
    expect(
      ask({
        stream: true,
        system: 'Be brief.',
        temperature: 0.5,
        top_p: 0.9,
        top_k: 40,
        stop_sequences: ['END'],
        metadata: { user_id: 'u1' },
        service_tier: 'standard_only',
        output_config: { effort: 'max', format: { type: 'json_schema', schema: { type: 'object' } } },
      }),
    ).toMatchObject({
      stream: true,
      system: [{ type: 'text', text: 'Be brief.' }],
      temperature: 0.5,
      topP: 0.9,
      topK: 40,
      stop: ['END'],
      user: 'u1',
      serviceTier: 'standard_only',
      reasoning: { effort: 'max' },
      output: { type: 'schema', schema: { type: 'object' } },
      unread: [],
    });
  });

  it('takes the former name of the output format', () => {
    expect(ask({ output_format: { type: 'json_schema', schema: { a: 1 } } }).output).toEqual({ type: 'schema', schema: { a: 1 } });
  });

  it.each([
    [{ type: 'adaptive' }, { summary: true }],
    [{ type: 'adaptive', display: 'summarized' }, { summary: true }],
    [{ type: 'adaptive', display: 'omitted' }, { summary: false }],
    [
      { type: 'enabled', budget_tokens: 2000 },
      { budgetTokens: 2000, summary: true },
    ],
    [{ type: 'disabled' }, { effort: 'none' }],
    [{ type: 'between_tools' }, { effort: 'none' }],
  ])('reads thinking %j', (thinking, reasoning) => {
    expect(ask({ thinking }).reasoning).toEqual(reasoning);
  });

  it.each([
    [{ type: 'auto' }, { type: 'auto' }, undefined],
    [{ type: 'any' }, { type: 'required' }, undefined],
    [{ type: 'none' }, { type: 'none' }, undefined],
    [{ type: 'tool', name: 'f', disable_parallel_tool_use: true }, { type: 'tool', name: 'f' }, false],
    [{ type: 'auto', disable_parallel_tool_use: false }, { type: 'auto' }, undefined],
  ])('reads the choice of tools %j', (tool_choice, toolChoice, parallelTools) => {
    const read = ask({ tool_choice });
    expect(read.toolChoice).toEqual(toolChoice);
    expect(read.parallelTools).toBe(parallelTools);
  });

  it('reads images and documents from every source', () => {
    expect(
      parts(
        { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAA=' } },
        { type: 'image', source: { type: 'url', url: 'https://a/b.png' } },
        { type: 'image', source: { type: 'file', file_id: 'file_1' } },
        { type: 'document', title: 'T', source: { type: 'base64', media_type: 'application/pdf', data: 'AAA=' } },
        { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'né' } },
        {
          type: 'document',
          source: {
            type: 'content',
            content: [
              { type: 'text', text: 'a' },
              { type: 'text', text: 'b' },
            ],
          },
        },
      ),
    ).toEqual([
      { type: 'image', source: { type: 'base64', mediaType: 'image/png', data: 'AAA=' } },
      { type: 'image', source: { type: 'url', url: 'https://a/b.png' } },
      { type: 'image', source: { type: 'file', id: 'file_1' } },
      { type: 'document', name: 'T', source: { type: 'base64', mediaType: 'application/pdf', data: 'AAA=' } },
      { type: 'document', source: { type: 'base64', mediaType: 'text/plain', data: Buffer.from('né').toString('base64') } },
      { type: 'document', source: { type: 'base64', mediaType: 'text/plain', data: Buffer.from('a\nb').toString('base64') } },
    ]);
  });

  it('reads calls and their answers, and tells the answer its tool', () => {
    const { turns } = ask({
      messages: [
        { role: 'user', content: 'q' },
        { role: 'assistant', content: [{ type: 'tool_use', id: 't1', name: 'f', input: { a: [1, 'é'] }, caller: { type: 'direct' } }] },
        {
          role: 'user',
          content: [{ type: 'tool_result', tool_use_id: 't1', content: 'ok', is_error: true, cache_control: { type: 'ephemeral' } }],
        },
      ],
    });
    expect(turns[1]?.parts).toEqual([{ type: 'call', id: 't1', name: 'f', arguments: '{"a":[1,"é"]}' }]);
    expect(turns[2]?.parts).toEqual([
      { type: 'result', callId: 't1', name: 'f', isError: true, cache: {}, parts: [{ type: 'text', text: 'ok' }] },
    ]);
  });

  it('reads seals: bare ones are its own, others say whose they are, and those of calls go onto the call', () => {
    const { turns } = ask({
      messages: [
        {
          role: 'assistant',
          content: [
            { type: 'thinking', thinking: 'a', signature: 'sig' },
            { type: 'thinking', thinking: 'b', signature: 'hubgate:gemini:x:y' },
            { type: 'thinking', thinking: 'c', signature: '' },
            { type: 'redacted_thinking', data: 'hubgate:openai:enc' },
            { type: 'redacted_thinking', data: 'hubgate:gemini+call:ts' },
            { type: 'tool_use', id: 't', name: 'f', input: {} },
            { type: 'tool_use', id: 'u', name: 'f', input: {} },
          ],
        },
      ],
    });
    expect(turns[0]?.parts).toEqual([
      { type: 'reasoning', text: 'a', seal: { family: 'anthropic', value: 'sig' } },
      { type: 'reasoning', text: 'b', seal: { family: 'gemini', value: 'x:y' } },
      { type: 'reasoning', text: 'c' },
      { type: 'reasoning', text: '', seal: { family: 'openai', value: 'enc' }, hidden: true },
      { type: 'call', id: 't', name: 'f', arguments: '{}', seal: { family: 'gemini', value: 'ts' } },
      { type: 'call', id: 'u', name: 'f', arguments: '{}' },
    ]);
  });

  it('reads cache marks; one at the top marks the last block', () => {
    const read = ask({
      system: [{ type: 'text', text: 's', cache_control: { type: 'ephemeral', ttl: '1h' } }],
      tools: [{ name: 'f', input_schema: { type: 'object' }, cache_control: { type: 'ephemeral', ttl: '5m' } }],
      messages: [
        { role: 'user', content: 'a' },
        { role: 'assistant', content: 'b' },
      ],
      cache_control: { type: 'ephemeral' },
    });
    expect(read.system[0]?.cache).toEqual({ ttl: '1h' });
    expect(read.tools[0]?.cache).toEqual({ ttl: '5m' });
    expect(read.turns.map(({ parts }) => parts[0])).toEqual([
      { type: 'text', text: 'a' },
      { type: 'text', text: 'b', cache: {} },
    ]);
  });

  it('names what it has no place for', () => {
    const read = ask({
      container: 'c',
      mcp_servers: [],
      inference_geo: null,
      speed: 'fast',
      service_tier: 'auto',
      output_config: { task_budget: {} },
      tools: [{ name: 'f', input_schema: {}, defer_loading: true }],
      messages: [
        {
          role: 'user',
          content: [{ type: 'document', citations: { enabled: true }, context: 'c', source: { type: 'url', url: 'https://a' } }],
        },
      ],
    });
    expect(read.serviceTier).toBe('fast');
    expect([...read.unread].sort()).toEqual([
      'container',
      'mcp_servers',
      'messages[].content[].citations',
      'messages[].content[].context',
      'output_config.task_budget',
      'service_tier',
      'tools[].defer_loading',
    ]);
  });

  it.each([
    ['no limit of tokens', { max_tokens: undefined }, 'max_tokens'],
    ['no model', { model: undefined }, 'model'],
    ['a role that is none', { messages: [{ role: 'tool', content: '' }] }, 'messages[0].role'],
    ['messages that are no list', { messages: {} }, 'messages'],
    ['a tool of Anthropic', { tools: [{ type: 'web_search_20260318', name: 'web_search' }] }, 'web_search'],
    ['a toolset', { tools: [{ type: 'browser_toolset_20260801' }] }, 'tools[0]'],
    ['a tool without a schema', { tools: [{ name: 'f' }] }, 'tools[0].input_schema'],
    [
      'a call into a toolset',
      blocks({ type: 'tool_use', id: 'a', name: 'zoom', input: {}, toolset_name: 'computer' }),
      'messages[0].content[0]',
    ],
    ['a block of a server tool', blocks({ type: 'text', text: '' }, { type: 'server_tool_use' }), 'messages[0].content[1]'],
    [
      'a search result in an answer',
      blocks({ type: 'tool_result', tool_use_id: 'a', content: [{ type: 'search_result' }] }),
      'messages[0].content[0].content[0]',
    ],
    ['a changed set of tools', { messages: [{ role: 'system', content: [{ type: 'tool_addition' }] }] }, 'tool_addition'],
    ['a cache of another kind', blocks({ type: 'text', text: 'a', cache_control: { type: 'for_ever' } }), 'cache_control.type'],
    ['a time that does not exist', blocks({ type: 'text', text: 'a', cache_control: { type: 'ephemeral', ttl: '2h' } }), 'ttl'],
    ['thinking of another kind', { thinking: { type: 'deep' } }, 'thinking.type'],
    ['an effort that is none', { output_config: { effort: 'little' } }, 'output_config.effort'],
    ['a choice that is none', { tool_choice: { type: 'some' } }, 'tool_choice.type'],
    ['an output of another kind', { output_config: { format: { type: 'grammar' } } }, 'output_config.format.type'],
  ])('refuses %s by its place', (_, more, place) => {
    expect(refusal(more)).toContain(place);
  });
});
