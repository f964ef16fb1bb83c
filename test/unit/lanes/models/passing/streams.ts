import { ProviderError } from '../../../../../src/lanes/models/provider-error.ts';
import { readFileSync } from 'node:fs';
import { GatewayError } from '../../../../../src/core/errors.ts';
import type { ChatCodec } from '../../../../../src/core/contracts/provider.ts';
import { anthropicMessages } from '../../../../../src/lanes/models/formats/anthropic-messages/anthropic-messages.ts';
import { openaiChat } from '../../../../../src/lanes/models/formats/openai-chat/openai-chat.ts';
import { openaiResponses } from '../../../../../src/lanes/models/formats/openai-responses/openai-responses.ts';
import { FrameWatch, type WatchOptions } from '../../../../../src/lanes/models/passing/frame-watch.ts';
import { createMask } from '../../../../../src/lanes/models/passing/mask.ts';
import { PassedChunk } from '../../../../../src/lanes/models/passing/passed.ts';
import { relay } from '../../../../../src/lanes/models/passing/relay.ts';

/** Of an account without a credential. */
export const NO_MASK = createMask([], (text) => text);

const FOLDER = `${import.meta.dirname}/../../../../fixtures/models/transcripts`;
export const NAMES = ['text', 'text-without-usage', 'tools', 'reasoning'] as const;
export const CODECS: readonly ChatCodec[] = [openaiChat, anthropicMessages, openaiResponses];

export const transcript = (format: string, name: string): Buffer => readFileSync(`${FOLDER}/${format}/${name}.sse`);

/** What came out of a relay: the bytes of each chunk, and how it ended. */
export interface Relayed {
  readonly chunks: readonly string[];
  readonly text: string;
  readonly error: GatewayError | undefined;
  readonly watch: FrameWatch;
}

/** Sends pieces through the relay, byte for byte. */
export async function relayed(pieces: readonly (Buffer | string)[], options: Partial<WatchOptions> = {}, split = false): Promise<Relayed> {
  const watch = new FrameWatch({
    codec: openaiChat,
    family: 'openai',
    hidesUsage: false,
    failure: (failure) => new ProviderError(failure, 'in its stream'),
    ...options,
  });
  const chunks: Buffer[] = [];
  let error: GatewayError | undefined;
  const body = (async function* (): AsyncGenerator<Buffer> {
    for (const piece of pieces) yield Buffer.from(piece);
  })();
  try {
    for await (const chunk of relay(body, { watch, split, mask: NO_MASK, settle: () => {} }))
      if (chunk instanceof PassedChunk) chunks.push(Buffer.from(chunk.bytes));
  } catch (thrown) {
    error = GatewayError.from(thrown);
  }
  return { chunks: chunks.map(String), text: Buffer.concat(chunks).toString(), error, watch };
}

/** The same bytes in pieces that are cut at the places given. */
export function cutAt(bytes: Buffer, ...places: readonly number[]): Buffer[] {
  const all = [0, ...places.toSorted((a, b) => a - b), bytes.length];
  return all.slice(1).map((end, at) => bytes.subarray(all[at], end));
}

/** A frame of a chat stream. */
export const chat = (more: object): string =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', ...more })}\n\n`;
export const said = (content: string, finish: string | null = null): string =>
  chat({ choices: [{ index: 0, delta: { content }, finish_reason: finish }] });
export const DONE = 'data: [DONE]\n\n';
