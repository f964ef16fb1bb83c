import type { ChatReply, Finish, Part, Seal } from '../../../../core/chat.ts';
import type { WriteContext } from '../../../../core/contracts/provider.ts';
import type { JsonObject } from '../../../../core/json.ts';
import type { Usage } from '../../../../core/usage.ts';
import { writeSeal } from '../_seals.ts';
import { CALL_SEAL, NATIVE } from './seals.ts';
import { writeResponseUsage } from './usage.ts';

/** A whole answer as a response. Seals always go along, since a caller whose answers are not kept has to send them back. */
export function writeReply(reply: ChatReply, context: WriteContext): JsonObject {
  const output: JsonObject[] = [];
  const id = (kind: string): string => itemId(kind, output.length, context);
  let content: JsonObject[] | undefined;
  for (const [index, part] of reply.parts.entries()) {
    const spoken = writeContent(part);
    if (spoken) {
      if (!content) output.push(messageItem(id('msg'), (content = [])));
      content.push(spoken);
      continue;
    }
    content = undefined;
    if (part.type === 'call') {
      if (part.seal) output.push(reasoningItem(id('rs'), undefined, callSeal(part.seal)));
      output.push(callItem(id('fc'), part.id, part.name, part.arguments));
    } else if (part.type === 'reasoning') {
      const next = reply.parts[index + 1];
      if (joinsNext(part, next)) continue;
      const before = reply.parts[index - 1];
      const summary = before && joinsNext(before, part) && before.type === 'reasoning' ? before.text : part.text;
      output.push(reasoningItem(id('rs'), summary === '' && (part.hidden === true || !part.seal) ? undefined : summary, part.seal));
    }
  }
  const end = ending(reply.finish);
  const last = output.at(-1);
  // What cut the answer short cut its last item.
  if (last?.['status'] !== undefined) output[output.length - 1] = { ...last, status: end.status };
  return responseOf(context, reply, { output, ...end, usage: reply.usage });
}

/** A summary and the native seal after it are one item. */
function joinsNext(part: Part, next: Part | undefined): boolean {
  return part.type === 'reasoning' && !part.seal && next?.type === 'reasoning' && next.hidden === true && next.seal?.family === NATIVE;
}

function writeContent(part: Part): JsonObject | undefined {
  if (part.type === 'text') return textContent(part.text);
  return part.type === 'refusal' ? refusalContent(part.text) : undefined;
}

const textContent = (text: string): JsonObject => ({ type: 'output_text', text, annotations: [], logprobs: [] });
const refusalContent = (refusal: string): JsonObject => ({ type: 'refusal', refusal });

/** `msg_…`, `fc_…`, `rs_…`: the same for the same answer and place. */
export function itemId(kind: string, index: number, context: WriteContext): string {
  return `${kind}_${context.id.replace(/^resp_/, '')}_${index}`;
}

export function messageItem(id: string, content: readonly JsonObject[], status = 'completed'): JsonObject {
  return { id, type: 'message', status, role: 'assistant', content };
}

export function callItem(id: string, callId: string, name: string, given: string, status = 'completed'): JsonObject {
  // Callers parse the arguments, and nothing is no JSON.
  return { id, type: 'function_call', status, call_id: callId, name, arguments: given === '' && status !== 'in_progress' ? '{}' : given };
}

/** An absent summary is an empty list. The text that a seal of another family signs is there even when it is empty: that is how one tells it. */
export function reasoningItem(id: string, summary: string | undefined, seal: Seal | undefined): JsonObject {
  return {
    id,
    type: 'reasoning',
    summary: summary === undefined ? [] : [{ type: 'summary_text', text: summary }],
    ...(seal && { encrypted_content: writeSeal(seal, NATIVE) }),
  };
}

/** The seal of a call, as that of an item of its own before it. */
export const callSeal = (seal: Seal): Seal => ({ family: seal.family + CALL_SEAL, value: seal.value });

interface Ending {
  readonly status: 'completed' | 'incomplete' | 'in_progress';
  readonly incomplete_details: JsonObject | null;
}

/** How a response that ended so is called. */
export function ending(finish: Finish): Ending {
  const reason =
    finish === 'length' || finish === 'context_length' ? 'max_output_tokens' : finish === 'filtered' ? 'content_filter' : undefined;
  if (reason === undefined) return { status: 'completed', incomplete_details: null };
  return { status: 'incomplete', incomplete_details: { reason } };
}

/** The response object, which repeats what was asked. `served` is what the vendor calls the answer and the model. */
export function responseOf(
  { id, created, model, body }: WriteContext,
  served: { readonly id?: string; readonly model?: string },
  { output, usage, ...end }: Ending & { readonly output: readonly JsonObject[]; readonly usage: Usage | undefined },
): JsonObject {
  const own = served.id ?? id;
  return {
    id: own.startsWith('resp_') ? own : `resp_${own}`,
    object: 'response',
    created_at: created,
    ...end,
    background: false,
    error: null,
    instructions: body['instructions'] ?? null,
    max_output_tokens: body['max_output_tokens'] ?? null,
    model: served.model ?? model,
    output,
    parallel_tool_calls: body['parallel_tool_calls'] ?? true,
    previous_response_id: null,
    reasoning: { effort: null, summary: null, ...(body['reasoning'] as JsonObject | undefined) },
    store: false,
    temperature: body['temperature'] ?? null,
    text: body['text'] ?? { format: { type: 'text' } },
    tool_choice: body['tool_choice'] ?? 'auto',
    tools: body['tools'] ?? [],
    top_p: body['top_p'] ?? null,
    truncation: 'disabled',
    usage: writeResponseUsage(usage),
    user: body['user'] ?? null,
    metadata: body['metadata'] ?? {},
  };
}
