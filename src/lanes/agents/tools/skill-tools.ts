import { createHash } from 'node:crypto';
import { isObject, type JsonObject } from '../../../core/json.ts';
import type { SourceTool } from '../../../core/tools.ts';

/** A tool of an agent, and the skill behind it. */
export interface SkillTool {
  readonly tool: SourceTool;
  /** Absent for the one tool of an agent that names no skills. */
  readonly skill: string | undefined;
}

/** The tools that every agent has besides its skills. */
export const GET_TASK = 'get_task';
export const CANCEL_TASK = 'cancel_task';
const SEND_MESSAGE = 'send_message';

/** Characters of a name with every prefix; the same as for tools of services. */
const LONGEST = 48;
const HASH_LENGTH = 6;
/** Seconds that get_task waits when it is not told. A model that asks again at once learns nothing and pays for it. */
export const USUAL_WAIT = 10;

const TASK_ID: JsonObject = { type: 'string', minLength: 1, description: 'The task_id that an earlier result gave.' };

/** The same for all tools: where there is structure, there is a schema (DESIGN 2.4). */
const OUTPUT: JsonObject = {
  type: 'object',
  properties: {
    taskId: { type: 'string' },
    contextId: { type: 'string' },
    state: { type: 'string', description: 'Such as completed, working, input-required or failed; absent when the answer is no task.' },
    message: { type: 'string', description: 'What the agent said last.' },
    data: { type: 'array', items: {} },
    artifacts: { type: 'array', items: { type: 'object' } },
  },
  required: ['artifacts'],
};

/** One tool for each skill on the card, by the tool's name, in the order of the card. */
export function skillTools(card: JsonObject, agent: string): ReadonlyMap<string, SkillTool> {
  const skills = (Array.isArray(card['skills']) ? card['skills'] : []).filter((skill): skill is JsonObject & { id: string } => {
    return isObject(skill) && typeof skill['id'] === 'string' && skill['id'] !== '';
  });
  const byId = new Map(skills.map((skill) => [skill.id, skill]));
  const names = nameSkills([...byId.keys()], LONGEST - agent.length - 1);
  const tools = new Map<string, SkillTool>();
  for (const [id, skill] of byId) {
    const name = names.get(id) as string;
    tools.set(name, { tool: skillTool(name, skill), skill: id });
  }
  if (byId.size === 0) tools.set(SEND_MESSAGE, { tool: messageTool(card), skill: undefined });
  return tools;
}

/** What to do about tasks that go on after the call that began them: for every agent the same. `longestWait` is in seconds. */
export function taskTools(longestWait: number): readonly SourceTool[] {
  const get = {
    name: GET_TASK,
    title: 'Get a task',
    description: 'Says how a task of this agent stands that an earlier call has begun, with what it has brought so far.',
    inputSchema: {
      type: 'object',
      properties: {
        task_id: TASK_ID,
        wait_seconds: {
          type: 'number',
          minimum: 0,
          maximum: longestWait,
          default: Math.min(USUAL_WAIT, longestWait),
          description: 'How long to wait for the task to end, in seconds.',
        },
      },
      required: ['task_id'],
      additionalProperties: false,
    },
    outputSchema: OUTPUT,
    annotations: { title: 'Get a task', readOnlyHint: true, openWorldHint: true },
  };
  const cancel = {
    name: CANCEL_TASK,
    title: 'Cancel a task',
    description: 'Stops a task of this agent that an earlier call has begun. It cannot be taken up again.',
    inputSchema: { type: 'object', properties: { task_id: TASK_ID }, required: ['task_id'], additionalProperties: false },
    outputSchema: OUTPUT,
    annotations: { title: 'Cancel a task', readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: true },
  };
  return [
    { definition: get, risk: 'read', tags: [] },
    { definition: cancel, risk: 'write', tags: [] },
  ];
}

function skillTool(name: string, skill: JsonObject & { readonly id: string }): SourceTool {
  const { id, description } = skill;
  const title = text(skill['name']) ?? id;
  const tags = texts(skill['tags']);
  const examples = texts(skill['examples']);
  const lines = [
    text(description) ?? title,
    ...(examples.length > 0 ? [`Examples of a message: ${examples.map((example) => JSON.stringify(example)).join(', ')}.`] : []),
    ...(tags.length > 0 ? [`Tags: ${tags.join(', ')}.`] : []),
  ];
  return messaging(name, title, lines.join('\n'), tags);
}

function messageTool(card: JsonObject): SourceTool {
  const title = text(card['name']) ?? 'Send a message';
  return messaging(SEND_MESSAGE, title, text(card['description']) ?? 'Sends a message to the agent.', []);
}

/** What a skill does to the world its card cannot say: a tool that may write. */
function messaging(name: string, title: string, description: string, tags: readonly string[]): SourceTool {
  const inputSchema = {
    type: 'object',
    properties: {
      message: { type: 'string', minLength: 1, description: 'What to tell the agent, in plain words: all that it needs to know.' },
      context_id: { type: 'string', minLength: 1, description: 'Goes on with a conversation: the contextId of an earlier result.' },
      task_id: { type: 'string', minLength: 1, description: 'Goes on with a task that asked for something: the taskId of that result.' },
      data: { type: 'object', description: 'Structured data for the agent, besides the message.' },
    },
    required: ['message'],
    additionalProperties: false,
  };
  const annotations = { title, readOnlyHint: false, destructiveHint: false, openWorldHint: true };
  return { definition: { name, title, description, inputSchema, outputSchema: OUTPUT, annotations }, risk: 'write', tags };
}

/**
 * Legal names, unique without regard to case, of at most `room` characters. An id that is legal stays as it is; others are cleaned, and get a hash
 * of the id where they are cut or collide, or nothing is left of them. In the order of the ids: what the card lists first changes no name.
 */
function nameSkills(ids: readonly string[], room: number): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  const used = new Set([GET_TASK, CANCEL_TASK]);
  const claim = (id: string, name: string): boolean => {
    if (name.length > room || used.has(name.toLowerCase())) return false;
    used.add(name.toLowerCase());
    names.set(id, name);
    return true;
  };
  const sorted = [...ids].sort();
  for (const id of sorted) if (/^[A-Za-z][A-Za-z0-9_-]*$/.test(id)) claim(id, id);
  for (const id of sorted) {
    const plain = cleaned(id);
    if (names.has(id) || (plain !== '' && claim(id, plain))) continue;
    for (let salt = 0; !claim(id, `${(plain || 'skill').slice(0, room - HASH_LENGTH - 1)}_${hash(id, salt)}`); salt += 1);
  }
  return names;
}

/** Empty when the id has no Latin letter and no digit. */
function cleaned(id: string): string {
  const plain = id
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .replace(/[^A-Za-z0-9_-]+/g, '_')
    .replace(/^[_-]+|[_-]+$/g, '');
  return plain === '' || /^[A-Za-z]/.test(plain) ? plain : `skill_${plain}`;
}

function hash(id: string, salt: number): string {
  return createHash('sha256')
    .update(salt === 0 ? id : `${salt} ${id}`)
    .digest('hex')
    .slice(0, HASH_LENGTH);
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
}

function texts(value: unknown): string[] {
  return (Array.isArray(value) ? value : []).flatMap((one) => text(one) ?? []);
}
