import fc from 'fast-check';
import type { ChatEvent, ChatReply, Finish, Part, Seal } from '../../../../../../src/core/chat.ts';
import type { WriteContext } from '../../../../../../src/core/contracts/provider.ts';
import type { ModelsChunk } from '../../../../../../src/core/models.ts';

export const CONTEXT: WriteContext = {
  id: 'resp_1',
  created: 1_767_225_600,
  model: 'asked',
  body: { model: 'asked', input: 'Hi', instructions: 'Be kind', tools: [], temperature: 0.5, metadata: { a: 'b' } },
  estimatedInput: 1,
};

export const frameOf = ({ event, data }: ModelsChunk): { event?: string; data: string } => ({
  ...(event !== undefined && { event }),
  data: JSON.stringify(data),
});

const word = fc.string({ minLength: 1, maxLength: 6 });
const seal: fc.Arbitrary<Seal> = fc.record({ family: fc.constantFrom('openai', 'anthropic', 'gemini'), value: word });
const finishes: readonly Finish[] = ['stop', 'stop_sequence', 'length', 'context_length', 'tool_calls', 'refusal', 'filtered', 'pause'];

/** Steps between `start` and `finish`, with calls that are open at once and pieces of theirs in any order. */
const steps: fc.Arbitrary<ChatEvent[]> = fc
  .array(
    fc.oneof(
      fc.record({ type: fc.constantFrom('text' as const, 'refusal' as const, 'reasoning' as const), text: fc.string({ maxLength: 6 }) }),
      fc.record({ type: fc.constant('seal' as const), seal, hidden: fc.boolean() }),
      fc.record({ type: fc.constant('call' as const), seal: fc.option(seal, { nil: undefined }) }),
      fc.record({ type: fc.constant('arguments' as const), call: fc.nat(3), text: fc.string({ maxLength: 6 }) }),
      fc.record({ type: fc.constant('usage' as const), usage: fc.record({ inputTokens: fc.nat(99), outputTokens: fc.nat(99) }) }),
    ),
    { maxLength: 24 },
  )
  .map((raw) => {
    let calls = 0;
    return raw.flatMap((step): ChatEvent[] => {
      if (step.type === 'call') {
        const call = calls++;
        return [{ type: 'call', call, id: `call_${call}`, name: `tool_${call}`, ...(step.seal && { seal: step.seal }) }];
      }
      if (step.type === 'arguments') return step.call < calls ? [step] : [];
      return [step];
    });
  });

export const runs: fc.Arbitrary<ChatEvent[]> = fc
  .tuple(steps, fc.constantFrom(...finishes), fc.boolean())
  .map(([middle, finish, started]) => [
    ...(started ? [{ type: 'start' as const, id: 'vendor-1', model: 'served' }] : []),
    ...middle,
    { type: 'finish', finish },
    { type: 'end' },
  ]);

/** The whole answer that these steps make. */
export function replyOf(events: readonly ChatEvent[]): ChatReply {
  const parts: Part[] = [];
  const calls = new Map<number, number>();
  const reply: ChatReply = { parts, finish: 'stop' };
  for (const event of events) {
    const last = parts.at(-1);
    if (event.type === 'start') Object.assign(reply, event.id && { id: event.id }, event.model && { model: event.model });
    else if (event.type === 'text' || event.type === 'refusal' || event.type === 'reasoning') {
      if (event.text === '') continue;
      if (last?.type === event.type && !('seal' in last)) parts[parts.length - 1] = { ...last, text: last.text + event.text };
      else parts.push({ type: event.type, text: event.text });
    } else if (event.type === 'seal') {
      if (event.hidden) parts.push({ type: 'reasoning', text: '', seal: event.seal, hidden: true });
      else if (last?.type === 'reasoning' && !last.seal) parts[parts.length - 1] = { ...last, seal: event.seal };
      else parts.push({ type: 'reasoning', text: '', seal: event.seal });
    } else if (event.type === 'call') {
      calls.set(event.call, parts.length);
      parts.push({ type: 'call', id: event.id, name: event.name, arguments: '', ...(event.seal && { seal: event.seal }) });
    } else if (event.type === 'arguments') {
      const at = calls.get(event.call) ?? -1;
      const part = parts[at];
      if (part?.type === 'call') parts[at] = { ...part, arguments: part.arguments + event.text };
    } else if (event.type === 'usage') Object.assign(reply, { usage: { ...reply.usage, ...event.usage } });
    else if (event.type === 'finish') Object.assign(reply, { finish: event.finish });
  }
  return reply;
}
