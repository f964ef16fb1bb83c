import { readFileSync } from 'node:fs';
import type { ChatEvent } from '../../../../../../src/core/chat.ts';
import type { WireFrame, WriteContext } from '../../../../../../src/core/contracts/provider.ts';
import type { ModelsChunk } from '../../../../../../src/core/models.ts';
import { streamReader } from '../../../../../../src/lanes/models/formats/anthropic-messages/read-stream.ts';

const FIXTURES = new URL('../../../../../fixtures/models/anthropic-messages/', import.meta.url);

export function fixture(name: string): string {
  return readFileSync(new URL(name, FIXTURES), 'utf8');
}

export function framesOf(sse: string): WireFrame[] {
  return sse
    .trim()
    .split('\n\n')
    .map((block) => {
      const event = /^event: (.*)$/m.exec(block)?.[1];
      return { ...(event !== undefined && { event }), data: /^data: (.*)$/m.exec(block)?.[1] ?? '' };
    });
}

export function eventsOf(frames: readonly WireFrame[], family = 'anthropic'): ChatEvent[] {
  const reader = streamReader(family);
  return [...frames.flatMap((frame) => reader.read(frame)), ...reader.close()];
}

export function wire(chunks: readonly ModelsChunk[]): WireFrame[] {
  return chunks.map(({ event, data }) => ({ ...(event !== undefined && { event }), data: JSON.stringify(data) }));
}

export const CONTEXT: WriteContext = { id: 'msg_hub', created: 1_700_000_000, model: 'support', body: {}, estimatedInput: 42 };
