import { readFileSync } from 'node:fs';

const FOLDER = `${import.meta.dirname}/../../../../fixtures/models/transcripts`;

/** The five wire formats, and an account at a vendor who speaks it. */
export const VENDORS = {
  'openai-chat': { type: 'openai-compatible', baseUrl: 'http://vendor.test/v1' },
  'openai-responses': { type: 'openai', api: 'responses', baseUrl: 'http://vendor.test/v1' },
  'anthropic-messages': { type: 'anthropic', baseUrl: 'http://vendor.test' },
  gemini: { type: 'gemini', baseUrl: 'http://vendor.test' },
  'bedrock-converse': { type: 'bedrock', baseUrl: 'http://vendor.test' },
} as const;
export type Format = keyof typeof VENDORS;

export const NAMES = ['text', 'text-without-usage', 'tools', 'reasoning'] as const;

export function transcript(format: string, name: string): Buffer {
  return readFileSync(`${FOLDER}/${format}/${name}.${format === 'bedrock-converse' ? 'bin' : 'sse'}`);
}

export function contentType(format: string): string {
  return format === 'bedrock-converse' ? 'application/vnd.amazon.eventstream' : 'text/event-stream; charset=utf-8';
}

/** Bytes as a network may bring them. */
export async function* inPieces(bytes: Buffer, sizes: readonly number[] = [bytes.length]): AsyncGenerator<Buffer> {
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = Math.max(1, sizes[turn % sizes.length]!);
    yield bytes.subarray(at, at + size);
    at += size;
    await Promise.resolve();
  }
}

export const CHAT = { model: 'gpt-9', messages: [{ role: 'user', content: 'Hello' }] };
export const RESPONSES = { model: 'gpt-9', input: 'Hello' };
export const MESSAGES = { model: 'gpt-9', max_tokens: 100, messages: [{ role: 'user', content: 'Hello' }] };

export const SAID = {
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1,
  model: 'gpt-9-2026',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hi there', refusal: null }, logprobs: null, finish_reason: 'stop' }],
  usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
};

export const chunk = (more: object): string =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', ...more })}\n\n`;
export const piece = (content: string, finish: string | null = null): string =>
  chunk({ choices: [{ index: 0, delta: { content }, finish_reason: finish }] });
export const DONE = 'data: [DONE]\n\n';
export const EVENTS = { 'content-type': 'text/event-stream' };
