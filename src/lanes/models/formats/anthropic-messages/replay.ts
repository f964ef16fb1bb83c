import type { WriteContext } from '../../../../core/contracts/provider.ts';
import { isObject, type JsonObject } from '../../../../core/json.ts';
import type { ModelsChunk } from '../../../../core/models.ts';
import { maybe } from '../_read.ts';
import { writeUsage } from './usage.ts';

/** A frame; the SDK drops those without a name. */
export function frame(type: string, fields: JsonObject = {}): ModelsChunk {
  return { event: type, data: { type, ...fields } };
}

/** A whole message of this format as the frames of a stream. Blocks that are not known go whole into their start. */
export function replay(body: JsonObject, context: WriteContext): readonly ModelsChunk[] {
  const { content, stop_reason, stop_sequence, stop_details, container, ...shell } = body;
  const usage = isObject(body['usage']) ? body['usage'] : writeUsage(undefined, () => context.estimatedInput);
  const message = { ...shell, content: [], stop_reason: null, stop_sequence: null, usage: { ...usage, output_tokens: 1 } };
  const blocks = maybe.list(content).filter(isObject);
  return [
    frame('message_start', { message }),
    frame('ping'),
    ...blocks.flatMap(replayBlock),
    frame('message_delta', {
      delta: {
        stop_reason,
        stop_sequence: stop_sequence ?? null,
        ...(stop_details !== undefined && { stop_details }),
        ...(container !== undefined && { container }),
      },
      usage,
    }),
    { ...frame('message_stop'), reply: { body } },
  ];
}

function replayBlock(block: JsonObject, index: number): ModelsChunk[] {
  const { start, deltas } = pieces(block);
  return [
    frame('content_block_start', { index, content_block: start }),
    ...deltas.map((delta) => frame('content_block_delta', { index, delta })),
    frame('content_block_stop', { index }),
  ];
}

function pieces(block: JsonObject): { readonly start: JsonObject; readonly deltas: readonly JsonObject[] } {
  switch (block['type']) {
    case 'text': {
      const { citations, ...start } = block;
      const cited = maybe.list(citations).map((citation) => ({ type: 'citations_delta', citation }));
      return { start: { ...start, text: '' }, deltas: [{ type: 'text_delta', text: block['text'] }, ...cited] };
    }
    case 'thinking':
      return {
        start: { ...block, thinking: '', signature: '' },
        deltas: [
          { type: 'thinking_delta', thinking: block['thinking'] },
          { type: 'signature_delta', signature: block['signature'] ?? '' },
        ],
      };
    case 'tool_use':
    case 'server_tool_use':
      return {
        start: { ...block, input: {} },
        deltas: [{ type: 'input_json_delta', partial_json: JSON.stringify(block['input'] ?? {}) }],
      };
    default:
      return { start: block, deltas: [] };
  }
}
