import type { WriteContext } from '../../../../../core/contracts/provider.ts';
import type { JsonObject } from '../../../../../core/json.ts';
import type { ModelsChunk } from '../../../../../core/models.ts';
import { maybe } from '../../_read.ts';
import { itemId } from '../write-reply.ts';
import { type At, Frames, wholePart } from './frames.ts';

/** A whole response as the events that would have brought it. Items of hosted tools come whole. */
export function replay(body: JsonObject, context: WriteContext): readonly ModelsChunk[] {
  const frames = new Frames();
  const starting = { ...body, status: 'in_progress', incomplete_details: null, error: null, output: [], usage: null };
  const chunks = [frames.make('response.created', { response: starting }), frames.make('response.in_progress', { response: starting })];
  const output = maybe.list(body['output']).map((value, index) => {
    const item = maybe.object(value);
    // Events name their item by its id, which some vendors leave out of whole answers.
    return maybe.text(item['id']) ? item : { ...item, id: itemId('item', index, context) };
  });
  for (const [index, item] of output.entries()) chunks.push(...itemFrames(frames, item, index));
  const status = body['status'] === 'incomplete' || body['status'] === 'failed' ? body['status'] : 'completed';
  const response = { ...body, output };
  chunks.push({ ...frames.make(`response.${status}`, { response }), reply: { body: response } });
  return chunks;
}

function itemFrames(frames: Frames, item: JsonObject, index: number): ModelsChunk[] {
  const at: At = { item_id: maybe.text(item['id']) ?? '', output_index: index };
  const parts = (field: string): ModelsChunk[] =>
    maybe.list(item[field]).flatMap((part, position) => wholePart(frames, maybe.object(part), at, position));
  const added = (empty: JsonObject): ModelsChunk =>
    frames.make('response.output_item.added', { output_index: index, item: { ...item, ...empty } });
  const done = (): ModelsChunk => frames.make('response.output_item.done', { output_index: index, item });
  switch (item['type']) {
    case 'message':
      return [added({ status: 'in_progress', content: [] }), ...parts('content'), done()];
    case 'reasoning': {
      const { encrypted_content: _, ...open } = item;
      const first = frames.make('response.output_item.added', {
        output_index: index,
        item: { ...open, summary: [], ...(item['content'] !== undefined && { content: [] }) },
      });
      return [first, ...parts('summary'), ...parts('content'), done()];
    }
    case 'function_call':
      return [added({ status: 'in_progress', arguments: '' }), ...argumentFrames(frames, item, at, 'arguments'), done()];
    case 'custom_tool_call':
      return [added({ input: '' }), ...argumentFrames(frames, item, at, 'input'), done()];
    default:
      return [added({}), done()];
  }
}

function argumentFrames(frames: Frames, item: JsonObject, at: At, field: 'arguments' | 'input'): ModelsChunk[] {
  const name = field === 'arguments' ? 'response.function_call_arguments' : 'response.custom_tool_call_input';
  const whole = maybe.text(item[field]) ?? '';
  return [
    ...(whole === '' ? [] : [frames.make(`${name}.delta`, { ...at, delta: whole })]),
    frames.make(`${name}.done`, { ...at, ...(field === 'arguments' && { name: item['name'] }), [field]: whole }),
  ];
}
