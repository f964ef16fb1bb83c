import { createHash } from 'node:crypto';
import { isObject, type JsonObject } from '../../../../core/json.ts';
import { agentError } from '../../wires/agent-errors.ts';
import type { Conversation } from './conversations.ts';

/** What templates of the message may ask for, and what those of poll and cancel may: the latter must work after a restart of the hub. */
export const LATER_NAMES: ReadonlySet<string> = new Set([
  'job',
  'contextId',
  'taskId',
  'conversation',
  'skill',
  'user',
  'consumer',
  'model',
  'app',
]);
export const MESSAGE_NAMES: ReadonlySet<string> = new Set([
  'text',
  'data',
  'inputs',
  'files',
  'parts',
  'metadata',
  'messages',
  'messageId',
  ...LATER_NAMES,
]);

export interface TurnFacts {
  readonly agent: string;
  /** The name of the consumer. */
  readonly owner: string;
  readonly message: JsonObject;
  readonly context: string;
  readonly task: string;
  readonly skill: string | undefined;
  readonly conversation: Conversation;
  /** Fixed by the configuration: model, app, instructions. */
  readonly settings: RestSettings;
}

export interface RestSettings {
  readonly model?: string | undefined;
  readonly app?: string | undefined;
  /** The system message before all others. */
  readonly instructions?: string | undefined;
}

/** The values of one message for templates. */
export function messageValues(facts: TurnFacts): JsonObject {
  const { message, conversation, settings } = facts;
  const parts = partsOf(message);
  const text = textOf(parts);
  const data = argumentsOf(message);
  const { instructions } = settings;
  return {
    text,
    ...(data === undefined ? {} : { data }),
    inputs: isObject(data) ? data : {},
    files: parts.filter((part) => part['url'] !== undefined || part['raw'] !== undefined).map(fileOf),
    parts,
    metadata: isObject(message['metadata']) ? message['metadata'] : {},
    messages: [
      ...(instructions === undefined ? [] : [{ role: 'system', content: instructions }]),
      ...conversation.turns,
      { role: 'user', content: text },
    ],
    messageId: message['messageId'],
    ...laterValues(facts),
  };
}

/** The values that are known without the message. */
export function laterValues(facts: Omit<TurnFacts, 'message'>, job?: string): JsonObject {
  const { agent, owner, context, task, skill, conversation, settings } = facts;
  return {
    job,
    contextId: context,
    taskId: task,
    conversation: conversation.id,
    skill,
    user: createHash('sha256').update(`${agent}\n${owner}`).digest('hex').slice(0, 32),
    consumer: owner,
    model: settings.model,
    app: settings.app,
  };
}

/**
 * The skill that a message asks for: in its metadata (`skill`, `skillId`), or in its only data part, `{ skill, arguments? }`. The lane puts it into the
 * input of the call, so that rules of access see the same skill as the application, or as an agent that looks at another of these places. Throws
 * AgentError InvalidParams for names that differ, and for one that is no text.
 */
export function namedSkill(message: JsonObject): string | undefined {
  const metadata = isObject(message['metadata']) ? message['metadata'] : {};
  const places = [metadata['skill'], metadata['skillId'], envelopeOf(message)?.['skill']];
  const [named, ...others] = new Set(places.filter((name) => name !== undefined && name !== null && name !== ''));
  if (named === undefined) return undefined;
  if (typeof named === 'string' && others.length === 0) return named;
  const what = others.length === 0 ? 'The name of a skill is a text.' : 'The message names more than one skill. Name one.';
  throw agentError('InvalidParams', `message: ${what}`, { field: 'message' });
}

/** The JSON of a message: `arguments` of the data part that names a skill, else its first data part. */
export function argumentsOf(message: JsonObject): unknown {
  const envelope = envelopeOf(message);
  if (envelope !== undefined) return envelope['arguments'] ?? {};
  return partsOf(message).find((part) => part['data'] !== undefined)?.['data'];
}

/** How many of its latest messages the caller wants with a task (`GetTaskRequest`, `SendMessageConfiguration`); undefined for all. */
export function historyLength({ historyLength: length }: JsonObject): number | undefined {
  return typeof length === 'number' && length >= 0 ? Math.floor(length) : undefined;
}

/** All texts of the parts, a line each. */
export function textOf(parts: readonly JsonObject[]): string {
  return parts.flatMap(({ text }) => (typeof text === 'string' ? [text] : [])).join('\n');
}

export function partsOf(message: JsonObject): readonly JsonObject[] {
  const { parts } = message;
  return Array.isArray(parts) ? parts.filter(isObject) : [];
}

/** The data part that says which skill is meant, as `{ skill, arguments }` or as `{ arguments }`. */
function envelopeOf(message: JsonObject): JsonObject | undefined {
  const [data, ...more] = partsOf(message).flatMap((part) => (isObject(part['data']) ? [part['data']] : []));
  if (data === undefined || more.length > 0) return undefined;
  const keys = Object.keys(data);
  const isEnvelope = keys.every((key) => key === 'skill' || key === 'arguments') && keys.length > 0;
  return isEnvelope && (data['arguments'] === undefined || isObject(data['arguments'])) ? data : undefined;
}

function fileOf({ url, raw, filename, mediaType }: JsonObject): JsonObject {
  return { url, raw, name: filename, mediaType };
}
