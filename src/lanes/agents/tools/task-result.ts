import type { JsonObject } from '../../../core/json.ts';
import { errorResult, type ContentBlock, type ToolsReply } from '../../../core/tools.ts';
import type { TaskFold } from '../calls/task-fold.ts';
import { CANCEL_TASK, GET_TASK } from './skill-tools.ts';
import { partsOf, stateWord, textOf } from './task-words.ts';

/** What a tool answers with once its task has ended, asks, or is waited for no longer: files and texts for the model, the same in structure. */
export function taskResult(fold: TaskFold, agent: string): ToolsReply {
  if (fold.taskId === undefined && fold.message === undefined) return errorResult('The agent ended its answer without saying anything.');
  const files = `a2a://${agent}/${encodeURIComponent(fold.taskId ?? fold.contextId ?? 'message')}`;
  const content: ContentBlock[] = fold.artifacts.flatMap((artifact, index) =>
    blocks(artifact, `${files}/${encodeURIComponent(String(artifact['artifactId'] ?? index))}`),
  );
  content.push(...blocks(fold.message, `${files}/message`));
  const advice = adviceFor(fold);
  if (advice !== undefined) content.push({ type: 'text', text: advice });
  if (content.length === 0) content.push({ type: 'text', text: `The task is ${stateWord(fold.state)}; the agent gave nothing with it.` });
  const failed = fold.ended && fold.state !== 'TASK_STATE_COMPLETED';
  return { content, structuredContent: structured(fold), ...(failed && { isError: true }) };
}

/** What a model should know besides the agent's own words. */
function adviceFor({ state, taskId, ended, asks }: TaskFold): string | undefined {
  if (taskId === undefined || state === 'TASK_STATE_COMPLETED') return undefined;
  if (ended) return `The agent ended the task as ${stateWord(state)}.`;
  if (state === 'TASK_STATE_AUTH_REQUIRED')
    return `The agent needs a login or permission before it goes on, as it says above. Once the user has given it, call this tool again with task_id "${taskId}".`;
  if (asks) return `The agent asks for more before it goes on. Call this tool again with the answer as message and task_id "${taskId}".`;
  return `The agent is still working on this (${stateWord(state)}). Call ${GET_TASK} with task_id "${taskId}" for the rest, or ${CANCEL_TASK} to stop it.`;
}

/** By the output schema of all tools of agents. */
export function structured(fold: TaskFold): JsonObject {
  const { taskId, contextId, state, message } = fold;
  const said = textOf(message);
  const data = dataOf(message);
  return {
    ...(taskId !== undefined && { taskId }),
    ...(contextId !== undefined && { contextId }),
    ...(state !== undefined && { state: stateWord(state) }),
    ...(said !== '' && { message: said }),
    ...(data.length > 0 && { data }),
    artifacts: fold.artifacts.map(structuredArtifact),
  };
}

function structuredArtifact(artifact: JsonObject): JsonObject {
  const { artifactId, name, description } = artifact;
  const said = textOf(artifact);
  const data = dataOf(artifact);
  const files = partsOf(artifact).filter((part) => part['raw'] !== undefined || part['url'] !== undefined);
  return {
    artifactId,
    ...(typeof name === 'string' && name !== '' && { name }),
    ...(typeof description === 'string' && description !== '' && { description }),
    ...(said !== '' && { text: said }),
    ...(data.length > 0 && { data }),
    // The bytes are in the content.
    ...(files.length > 0 && { files: files.map(({ filename, mediaType, url }) => ({ filename, mediaType, url })) }),
  };
}

function dataOf(holder: JsonObject | undefined): unknown[] {
  return partsOf(holder).flatMap((part) => (part['data'] === undefined ? [] : [part['data']]));
}

/** The parts in their order; texts that follow each other are one. */
function blocks(holder: JsonObject | undefined, place: string): ContentBlock[] {
  const found: ContentBlock[] = [];
  const parts = partsOf(holder);
  for (const [index, part] of parts.entries()) {
    const last = found.at(-1);
    if (typeof part['text'] !== 'string') found.push(...blockOf(part, `${place}/${index}`));
    else if (last?.type === 'text' && typeof parts[index - 1]?.['text'] === 'string')
      found[found.length - 1] = { type: 'text', text: `${last['text'] as string}${part['text']}` };
    else found.push({ type: 'text', text: part['text'] });
  }
  return found.filter((block) => block.type !== 'text' || block['text'] !== '');
}

function blockOf(part: JsonObject, place: string): ContentBlock[] {
  const { raw, url, data } = part;
  const mimeType = typeof part['mediaType'] === 'string' && part['mediaType'] !== '' ? part['mediaType'] : 'application/octet-stream';
  const filename = typeof part['filename'] === 'string' && part['filename'] !== '' ? part['filename'] : undefined;
  if (typeof url === 'string') return [{ type: 'resource_link', uri: url, name: filename ?? lastWord(url), mimeType }];
  if (typeof raw === 'string') {
    if (mimeType.startsWith('image/')) return [{ type: 'image', data: raw, mimeType }];
    if (mimeType.startsWith('audio/')) return [{ type: 'audio', data: raw, mimeType }];
    const uri = filename === undefined ? place : `${place}/${encodeURIComponent(filename)}`;
    const body = /^text\/|[/+]json\b/.test(mimeType) ? { text: Buffer.from(raw, 'base64').toString() } : { blob: raw };
    return [{ type: 'resource', resource: { uri, mimeType, ...body } }];
  }
  return data === undefined ? [] : [{ type: 'text', text: JSON.stringify(data) }];
}

function lastWord(url: string): string {
  return (
    URL.parse(url)
      ?.pathname.split('/')
      .findLast((word) => word !== '') ?? 'file'
  );
}
