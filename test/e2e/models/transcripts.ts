import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Mocks } from '../../support/mock-providers/server.mjs';

/** Wire formats of vendors. */
export const FORMATS = ['openai-chat', 'openai-responses', 'anthropic-messages', 'gemini', 'bedrock-converse'] as const;
export type Format = (typeof FORMATS)[number];

export const TRANSCRIPTS = ['text', 'text-without-usage', 'reasoning', 'tools'] as const;
export type TranscriptName = (typeof TRANSCRIPTS)[number];

const FIXTURES = fileURLToPath(new URL('../../fixtures/models/transcripts/', import.meta.url));

export const transcriptFile = (format: Format, name: TranscriptName): string =>
  `${FIXTURES}${format}/${name}.${format === 'bedrock-converse' ? 'bin' : 'sse'}`;

/** The body of one whole streamed answer, as the vendor sends it. */
export const readTranscript = (format: Format, name: TranscriptName): Buffer => readFileSync(transcriptFile(format, name));

/** Where the body is cut into what the format calls an event: after each blank line, or by the length that a frame begins with. */
export function frames(format: Format, body: Buffer): Buffer[] {
  const found: Buffer[] = [];
  for (let at = 0; at < body.length;) {
    const end = format === 'bedrock-converse' ? at + body.readUInt32BE(at) : blankLineEnd(body, at);
    found.push(body.subarray(at, end));
    at = end;
  }
  return found;
}

function blankLineEnd(body: Buffer, from: number): number {
  const ends = ['\n\n', '\r\n\r\n'].map((blank) => [body.indexOf(blank, from), blank.length] as const).filter(([at]) => at >= 0);
  return Math.min(...ends.map(([at, length]) => at + length), body.length);
}

const TEXT = 'Zürich 🌧️ 東京 e\u0301 done';
const WEATHER = { type: 'object', properties: { city: { type: 'string', enum: ['Zürich 🌧️'] } } };
const CLOCK = { type: 'object', properties: { zone: { type: 'string', enum: ['東京 e\u0301'] } } };
const NONE = { type: 'object', properties: {} };
const TOOLS = [
  ['weather', WEATHER],
  ['clock', CLOCK],
  ['ping', NONE],
] as const;
/** What the user says in each, and the model repeats. */
export const ASKED: Readonly<Record<TranscriptName, string>> = {
  text: TEXT,
  'text-without-usage': 'ほかの 👩‍👩‍👧 words naïve',
  reasoning: TEXT,
  tools: 'weather, clock and ping',
};

/** Asks the mock of a vendor for the answer that a transcript keeps. */
export async function record(mocks: Mocks, format: Format, name: TranscriptName): Promise<Buffer> {
  // Anthropic never leaves the usage out, and its clients cannot do without.
  const fault = name === 'text-without-usage' && format !== 'anthropic-messages' ? ':fault=no-usage' : '';
  const { url, headers, body } = request(mocks, format, name, fault);
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${format} ${name}: ${response.status} ${await response.text()}`);
  return Buffer.from(await response.arrayBuffer());
}

interface Recorded {
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: unknown;
}

function request(mocks: Mocks, format: Format, name: TranscriptName, fault: string): Recorded {
  const content = ASKED[name];
  const tools = name === 'tools' ? TOOLS : [];
  const thinks = name === 'reasoning';
  const bearer = { authorization: 'Bearer sk-mock' };
  const messages = [{ role: 'user', content }];
  switch (format) {
    case 'openai-chat': {
      const functions = tools.map(([tool, parameters]) => ({ type: 'function', function: { name: tool, parameters } }));
      return {
        url: `${mocks.vllm.url}/v1/chat/completions`,
        body: {
          model: `vllm-mock${fault}`,
          stream: true,
          stream_options: { include_usage: true },
          messages,
          tools: functions,
          ...(thinks && { reasoning_effort: 'low' }),
        },
      };
    }
    case 'openai-responses': {
      const functions = tools.map(([tool, parameters]) => ({ type: 'function', name: tool, parameters }));
      const reasoning = thinks && { reasoning: { effort: 'low', summary: 'auto' }, include: ['reasoning.encrypted_content'] };
      return {
        url: `${mocks.openai.url}/v1/responses`,
        headers: bearer,
        body: { model: `gpt-mock${fault}`, stream: true, store: false, input: messages, tools: functions, ...reasoning },
      };
    }
    case 'anthropic-messages': {
      const described = tools.map(([tool, schema]) => ({ name: tool, input_schema: schema }));
      const thinking = thinks && { thinking: { type: 'enabled', budget_tokens: 1024 } };
      return {
        url: `${mocks.anthropic.url}/v1/messages`,
        headers: { 'x-api-key': 'sk-mock', 'anthropic-version': '2023-06-01' },
        body: { model: `claude-mock${fault}`, stream: true, max_tokens: 2048, messages, tools: described, ...thinking },
      };
    }
    case 'gemini': {
      const declared = tools.map(([tool, parametersJsonSchema]) => ({ name: tool, parametersJsonSchema }));
      return {
        url: `${mocks.gemini.url}/v1beta/models/gemini-3-mock${fault}:streamGenerateContent?alt=sse`,
        headers: { 'x-goog-api-key': 'sk-mock' },
        body: {
          contents: [{ role: 'user', parts: [{ text: content }] }],
          ...(declared.length > 0 && { tools: [{ functionDeclarations: declared }] }),
          ...(thinks && { generationConfig: { thinkingConfig: { includeThoughts: true } } }),
        },
      };
    }
    case 'bedrock-converse': {
      const specs = tools.map(([tool, json]) => ({ toolSpec: { name: tool, inputSchema: { json } } }));
      return {
        url: `${mocks.bedrock.url}/model/${encodeURIComponent(`anthropic.claude-mock${fault}`)}/converse-stream`,
        headers: bearer,
        body: {
          messages: [{ role: 'user', content: [{ text: content }] }],
          ...(specs.length > 0 && { toolConfig: { tools: specs } }),
          ...(thinks && { additionalModelRequestFields: { thinking: { type: 'enabled', budget_tokens: 1024 } } }),
        },
      };
    }
  }
}
