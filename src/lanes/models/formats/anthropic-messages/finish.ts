import type { Finish } from '../../../../core/chat.ts';

const READ = new Map<string, Finish>([
  ['end_turn', 'stop'],
  ['stop_sequence', 'stop_sequence'],
  ['max_tokens', 'length'],
  ['model_context_window_exceeded', 'context_length'],
  ['tool_use', 'tool_calls'],
  ['refusal', 'refusal'],
  ['pause_turn', 'pause'],
]);

const WRITTEN: Readonly<Record<Finish, string>> = {
  stop: 'end_turn',
  stop_sequence: 'stop_sequence',
  length: 'max_tokens',
  context_length: 'model_context_window_exceeded',
  tool_calls: 'tool_use',
  refusal: 'refusal',
  filtered: 'refusal',
  pause: 'pause_turn',
};

/** A reason that is missing or new means that the model was done, with calls where it made any. */
export function readFinish(reason: string | undefined, calls: boolean): Finish {
  return READ.get(reason ?? '') ?? (calls ? 'tool_calls' : 'stop');
}

/** What ends a message: `stop_reason`, `stop_sequence`, `stop_details`. Clients run tools on `tool_use` alone, which not every vendor says. */
export function writeFinish(finish: Finish, stopSequence: string | undefined, calls: boolean): Readonly<Record<string, unknown>> {
  const refused = finish === 'refusal' || finish === 'filtered';
  return {
    stop_reason: finish === 'stop' && calls ? 'tool_use' : WRITTEN[finish],
    stop_sequence: stopSequence ?? null,
    stop_details: refused ? { type: 'refusal', category: null, explanation: null } : null,
  };
}
