import type { JsonObject } from '../../../src/core/json.ts';

const wordOf = (state: unknown): string => String(state).replace('TASK_STATE_', '').replaceAll('_', '-').toLowerCase();
const parts = (list: unknown): JsonObject[] => (list as JsonObject[]).map((part) => ({ kind: 'text' in part ? 'text' : 'data', ...part }));

/** A task of 1.0 as an agent of 0.3 writes it. */
export function legacyTask({ status, artifacts = [], ...task }: JsonObject): JsonObject {
  const { state } = status as JsonObject;
  return {
    kind: 'task',
    ...task,
    status: { state: wordOf(state) },
    artifacts: (artifacts as JsonObject[]).map((artifact) => ({ ...artifact, parts: parts(artifact['parts']) })),
  };
}

/** An event of 1.0 as an agent of 0.3 writes it. */
export function legacyEvent({ task, message, statusUpdate, artifactUpdate }: JsonObject): JsonObject {
  if (task !== undefined) return legacyTask(task as JsonObject);
  if (message !== undefined) {
    const said = message as JsonObject;
    return { kind: 'message', ...said, role: 'agent', parts: parts(said['parts']) };
  }
  if (statusUpdate !== undefined) {
    const update = statusUpdate as JsonObject;
    return { kind: 'status-update', ...update, status: { state: wordOf((update['status'] as JsonObject)['state']) }, final: true };
  }
  const { artifact, ...update } = artifactUpdate as JsonObject;
  const given = artifact as JsonObject;
  return { kind: 'artifact-update', ...update, artifact: { ...given, parts: parts(given['parts']) } };
}
