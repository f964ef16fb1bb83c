import { isObject, type JsonObject } from '../../../core/json.ts';

/** The parts of a message or artifact, without what is none. */
export function partsOf(holder: JsonObject | undefined): readonly JsonObject[] {
  const parts = holder?.['parts'];
  return Array.isArray(parts) ? parts.filter(isObject) : [];
}

/** The texts of a message or artifact. Chunks of one artifact are cut anywhere, so nothing is put between them. */
export function textOf(holder: JsonObject | undefined): string {
  return partsOf(holder)
    .map(({ text }) => (typeof text === 'string' ? text : ''))
    .join('');
}

/** A state in the words of people: `TASK_STATE_INPUT_REQUIRED` is `input-required`. */
export function stateWord(state: string | undefined): string {
  return (state ?? 'unknown')
    .replace(/^TASK_STATE_/, '')
    .toLowerCase()
    .replaceAll('_', '-');
}
