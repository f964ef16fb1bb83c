import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { ChatRequest, Part, Reasoning, ToolChoice, Turn } from '../../../../../../src/core/chat.ts';
import type { JsonObject } from '../../../../../../src/core/json.ts';
import { gemini } from '../../../../../../src/lanes/models/formats/gemini/gemini.ts';

const bare: ChatRequest = { model: 'm', stream: false, system: [], turns: [], tools: [], unread: [] };
const user = (...parts: Part[]): Turn => ({ role: 'user', parts });
const assistant = (...parts: Part[]): Turn => ({ role: 'assistant', parts });
const text = (words: string): Part => ({ type: 'text', text: words });
const sealed = (family: string, value: string) => ({ seal: { family, value } });

function write(ask: Partial<ChatRequest>, model = 'gemini-3.5-flash') {
  return gemini.writeRequest({ ...bare, ...ask }, { model, family: 'gemini' });
}

/** The parts of each content that these turns become. */
function contents(turns: Turn[], model?: string): unknown[] {
  return (write({ turns }, model).body['contents'] as { parts: unknown }[]).map(({ parts }) => parts);
}

describe('a request to Gemini', () => {
  it('is as the golden one', () => {
    const file = new URL('../../../../../fixtures/models/gemini/tools-request.json', import.meta.url);
    const { ask, body, dropped } = JSON.parse(readFileSync(file, 'utf8')) as { ask: ChatRequest; body: JsonObject; dropped: string[] };
    expect(write(ask)).toEqual({ body, dropped });
  });

  it('has nothing that was not asked for', () => {
    expect(write({ turns: [user(text('hi'))] })).toEqual({ body: { contents: [{ role: 'user', parts: [{ text: 'hi' }] }] }, dropped: [] });
  });

  it('joins turns of one role, and ends with a user turn for a system turn that nothing follows', () => {
    const turns: Turn[] = [
      { role: 'system', parts: [{ type: 'text', text: 'first' }] },
      user(text('a')),
      user(text('b'), text('')),
      assistant(text('c')),
      { role: 'system', parts: [{ type: 'text', text: 'last' }] },
      assistant(text('d')),
    ];
    expect(write({ turns }).body['contents']).toEqual([
      { role: 'user', parts: [{ text: 'first' }, { text: 'a' }, { text: 'b' }] },
      { role: 'model', parts: [{ text: 'c' }, { text: 'd' }] },
      { role: 'user', parts: [{ text: 'last' }] },
    ]);
  });

  it.each<[ToolChoice, JsonObject]>([
    [{ type: 'auto' }, { mode: 'AUTO' }],
    [{ type: 'none' }, { mode: 'NONE' }],
    [{ type: 'required' }, { mode: 'ANY' }],
    [
      { type: 'tool', name: 'a' },
      { mode: 'ANY', allowedFunctionNames: ['a'] },
    ],
    [
      { type: 'allowed', names: ['a', 'b'], required: false },
      { mode: 'VALIDATED', allowedFunctionNames: ['a', 'b'] },
    ],
  ])('chooses tools: %j', (toolChoice, functionCallingConfig) => {
    expect(write({ toolChoice }).body['toolConfig']).toEqual({ functionCallingConfig });
  });

  it('asks for JSON without a schema', () => {
    expect(write({ output: { type: 'json' } }).body['generationConfig']).toEqual({ responseMimeType: 'application/json' });
    expect(write({ output: { type: 'text' } }).body).not.toHaveProperty('generationConfig');
  });

  const least = 'reasoning (this model always reasons: asked for the least)';
  it.each<[string, Reasoning, JsonObject | undefined, string[]]>([
    ['gemini-3.5-flash', { effort: 'minimal' }, { thinkingLevel: 'MINIMAL', includeThoughts: true }, []],
    ['gemini-3.1-pro-preview', { effort: 'minimal' }, { thinkingLevel: 'LOW', includeThoughts: true }, []],
    ['gemini-3.1-pro-preview', { effort: 'max', summary: false }, { thinkingLevel: 'HIGH' }, []],
    ['gemini-flash-latest', { effort: 'none' }, { thinkingLevel: 'MINIMAL' }, [least]],
    ['gemini-3.5-flash', { budgetTokens: 4000 }, { thinkingLevel: 'MEDIUM', includeThoughts: true }, []],
    ['gemini-3.5-flash', { summary: true }, { includeThoughts: true }, []],
    ['gemini-2.5-flash', { effort: 'none' }, { thinkingBudget: 0 }, []],
    ['gemini-2.5-pro', { effort: 'none' }, { thinkingBudget: 128 }, [least]],
    ['gemini-2.5-pro', { effort: 'xhigh' }, { thinkingBudget: 32_768, includeThoughts: true }, []],
    ['gemini-2.5-flash', { effort: 'max' }, { thinkingBudget: 24_576, includeThoughts: true }, []],
    ['gemini-2.5-flash-lite', { budgetTokens: 100 }, { thinkingBudget: 512, includeThoughts: true }, []],
    ['gemini-2.5-flash', { effort: 'low', budgetTokens: 3000 }, { thinkingBudget: 3000, includeThoughts: true }, []],
    ['gemini-2.0-flash', { effort: 'low' }, undefined, ['reasoning (this model does not reason)']],
    ['gemma-4', { effort: 'none' }, undefined, []],
    ['my-tuned', { effort: 'low' }, { includeThoughts: true }, ['reasoning (how much is not known of this model)']],
  ])('tells %s to think %j', (model, reasoning, thinkingConfig, dropped) => {
    const written = write({ reasoning }, model);
    expect(written.body['generationConfig']).toEqual(thinkingConfig && { thinkingConfig });
    expect(written.dropped).toEqual(dropped);
  });
});

describe('signatures', () => {
  const call: Part = { type: 'call', id: 'c', name: 'f', arguments: '{}' };
  const functionCall = { id: 'c', name: 'f', args: {} };

  it('go back on the part they came on', () => {
    const turn = assistant(
      { type: 'reasoning', text: 'hm', ...sealed('gemini', 's1') },
      text('yes'),
      { type: 'reasoning', text: '', hidden: true, ...sealed('gemini', 's2') },
      { ...call, ...sealed('gemini', 's3') },
    );
    expect(contents([turn])).toEqual([
      [
        { text: 'hm', thought: true, thoughtSignature: 's1' },
        { text: 'yes', thoughtSignature: 's2' },
        { functionCall, thoughtSignature: 's3' },
      ],
    ]);
  });

  it('of a text go on the text after them, where a format has put them before it', () => {
    expect(contents([assistant({ type: 'reasoning', text: '', ...sealed('gemini', 's') }, text('yes'))])).toEqual([
      [{ text: 'yes', thoughtSignature: 's' }],
    ]);
  });

  it('that stand alone have a part of their own', () => {
    const turn = assistant({ type: 'reasoning', text: '', hidden: true, ...sealed('gemini', 's') }, { ...call, ...sealed('gemini', 't') });
    expect(contents([turn])).toEqual([
      [
        { text: '', thoughtSignature: 's' },
        { functionCall, thoughtSignature: 't' },
      ],
    ]);
  });

  it('of another family are left out and named once; Gemini 3 gets its placeholder on the first call only', () => {
    const turns = [
      user(text('q')),
      assistant({ type: 'reasoning', text: 'secret', ...sealed('anthropic', 's') }, { ...call, ...sealed('anthropic', 't') }, call),
    ];
    const { body, dropped } = write({ turns });
    expect(dropped).toEqual(['reasoning of another model family']);
    expect(body['contents']).toEqual([
      { role: 'user', parts: [{ text: 'q' }] },
      { role: 'model', parts: [{ functionCall, thoughtSignature: 'skip_thought_signature_validator' }, { functionCall }] },
    ]);
  });

  it('are not asked for by older models', () => {
    expect(contents([assistant(call)], 'gemini-2.5-flash')).toEqual([[{ functionCall }]]);
  });

  it('are not needed on reasoning', () => {
    expect(contents([assistant({ type: 'reasoning', text: 'hm' })])).toEqual([[{ text: 'hm', thought: true }]]);
  });
});

describe('what Gemini cannot take is refused by name', () => {
  const result = (callId: string): Part => ({ type: 'result', callId, parts: [] });
  it.each<[string, Partial<ChatRequest>]>([
    ['turns[0].parts[0]: there is no tool call "x" before this result of it.', { turns: [user(result('x'))] }],
    [
      'The arguments of the tool call "c" are not a JSON object.',
      { turns: [assistant({ type: 'call', id: 'c', name: 'f', arguments: '[1]' })] },
    ],
    [
      'The arguments of the tool call "c" are not a JSON object.',
      { turns: [assistant({ type: 'call', id: 'c', name: 'f', arguments: '{"a"' })] },
    ],
    [
      'turns[0].parts[0]: Gemini does not read links; send the data.',
      {
        turns: [user({ type: 'image', source: { type: 'url', url: 'https://example.com/generativelanguage.googleapis.com/files/a.png' } })],
      },
    ],
    [
      'turns[0].parts[0]: the file is not one of Gemini; send the data.',
      { turns: [user({ type: 'document', source: { type: 'file', id: 'file-1' } })] },
    ],
    [
      'tool "a b": Gemini takes names of up to 128 letters, digits and "_.:-" that begin with a letter or "_".',
      { tools: [{ name: 'a b' }] },
    ],
  ])('%s', (message, ask) => {
    expect(() => write(ask)).toThrow(expect.objectContaining({ code: 'bad_request', message }));
  });

  it('but a result that names its tool needs no call, and files of Gemini are linked', () => {
    const fileUri = 'https://generativelanguage.googleapis.com/v1beta/files/abc';
    const turn = user(
      { type: 'document', source: { type: 'file', id: fileUri }, name: 'a.pdf' },
      { type: 'result', callId: 'x', name: 'f', parts: [] },
    );
    const { body, dropped } = write({ turns: [turn] });
    expect(body['contents']).toEqual([
      { role: 'user', parts: [{ functionResponse: { id: 'x', name: 'f', response: { output: '' } } }, { fileData: { fileUri } }] },
    ]);
    expect(dropped).toEqual(['turns[0].parts[0].name']);
  });
});
