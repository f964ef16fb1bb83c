import type { CallRequest } from '../../../src/core/call.ts';
import { ANONYMOUS } from '../../../src/core/consumer.ts';
import type { Logger } from '../../../src/core/logger.ts';
import { toolSegments } from '../../../src/lanes/tools/segments.ts';
import { LiveCall, type CallFacts } from '../../../src/pipeline/live-call.ts';

export const SILENT: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {}, child: () => SILENT };
const REQUEST: CallRequest = { headers: {}, ip: '127.0.0.1', size: 0 };

/** A `tools/call` of nobody, changed by `more`. */
export function toolCall(more: Partial<CallFacts<'tools'>> = {}): LiveCall<'tools'> {
  return new LiveCall<'tools'>({
    id: 'id',
    lane: 'tools',
    operation: 'tools/call',
    route: 'pets',
    consumer: ANONYMOUS,
    request: REQUEST,
    log: SILENT,
    codec: toolSegments,
    input: { name: 'find', arguments: { text: 'hello' }, params: {} },
    ...more,
  });
}
