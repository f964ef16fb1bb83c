import type { ModelsChunk } from '../../../../../../src/core/models.ts';

type Json = Record<string, unknown>;

/**
 * Rebuilds a message from the frames of a stream by the rules of the official SDK (`lib/MessageStream.js`, `core/streaming.js`), and throws at
 * whatever a legal stream does not do: a frame without its name, two open blocks, an index that jumps, a delta of another kind than its block.
 */
export function accumulate(chunks: readonly ModelsChunk[]): Json {
  let message: Json | undefined;
  const content: Json[] = [];
  let open: { block: Json; json: string } | undefined;
  let stopped = false;
  let ended = false;
  for (const { event, data } of chunks) {
    const type = data['type'];
    if (event === undefined || event !== type) throw new Error(`frame ${String(type)} is named ${String(event)}`);
    if (ended) throw new Error(`${event} after message_stop`);
    if (event === 'ping') continue;
    if (event === 'message_start') {
      if (message) throw new Error('message_start twice');
      message = structuredClone(data['message']) as Json;
      continue;
    }
    if (!message) throw new Error(`${event} before message_start`);
    if (stopped && event !== 'message_stop') throw new Error(`${event} after message_delta`);
    switch (event) {
      case 'content_block_start':
        if (open) throw new Error('a block starts in another');
        if (data['index'] !== content.length) throw new Error(`index ${String(data['index'])}, not ${content.length}`);
        open = { block: structuredClone(data['content_block']) as Json, json: '' };
        break;
      case 'content_block_delta':
        if (!open || data['index'] !== content.length) throw new Error('a delta without its block');
        add(open, data['delta'] as Json);
        break;
      case 'content_block_stop':
        if (!open || data['index'] !== content.length) throw new Error('a stop without its block');
        if (open.json !== '') open.block['input'] = JSON.parse(open.json);
        content.push(open.block);
        open = undefined;
        break;
      case 'message_delta':
        if (open) throw new Error('message_delta in a block');
        stopped = true;
        message = { ...message, ...(data['delta'] as Json), usage: { ...(message['usage'] as Json), ...said(data['usage'] as Json) } };
        break;
      case 'message_stop':
        if (!stopped) throw new Error('message_stop without message_delta');
        ended = true;
        break;
      default:
        throw new Error(`unknown event ${event}`);
    }
  }
  if (!message || !ended) throw new Error('the stream is cut');
  return { ...message, content };
}

function said(usage: Json): Json {
  return Object.fromEntries(Object.entries(usage).filter(([, value]) => value !== null));
}

const FIELDS: Record<string, [block: string, field: string]> = {
  text_delta: ['text', 'text'],
  thinking_delta: ['thinking', 'thinking'],
  signature_delta: ['thinking', 'signature'],
};

function add(open: { block: Json; json: string }, delta: Json): void {
  const type = String(delta['type']);
  if (type === 'input_json_delta') {
    if (open.block['type'] !== 'tool_use') throw new Error('input of a block that is no tool_use');
    open.json += String(delta['partial_json']);
    return;
  }
  if (type === 'citations_delta') {
    open.block['citations'] = [...((open.block['citations'] as Json[] | undefined) ?? []), delta['citation']];
    return;
  }
  const [block, field] = FIELDS[type] ?? ['', ''];
  if (open.block['type'] !== block) throw new Error(`${type} in a block of type ${String(open.block['type'])}`);
  // The SDK puts a signature in place of the one before and appends the rest.
  open.block[field] = type === 'signature_delta' ? delta[field] : String(open.block[field]) + String(delta[field]);
}
