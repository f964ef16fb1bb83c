import type { RestAnswerConfig } from '../../../../../config/types.ts';
import { GatewayError } from '../../../../../core/errors.ts';
import { isObject, type JsonObject } from '../../../../../core/json.ts';
import { retryAfterMs } from '../../../../../core/units/retry-after.ts';
import { passingStatus } from '../../../../../upstreams/passing-status.ts';
import type { UpstreamResponse } from '../../../../../core/upstream.ts';
import { asText, textAt, valueAt } from '../template/place.ts';

/** What an application has said, in the words of A2A. */
export interface AppAnswer {
  /** `message`: done, and said with a plain message. `unknown`: the state has a word that the configuration does not name. */
  readonly state: AppState | 'unknown';
  /** A word of the answer says so, and not that it has none. */
  readonly isNamed?: boolean;
  readonly parts: readonly JsonObject[];
  /** A sentence on how it stands; of a failure what went wrong. */
  readonly note?: string | undefined;
  readonly conversation?: string | undefined;
  readonly job?: string | undefined;
}

export type AppState = 'completed' | 'failed' | 'rejected' | 'canceled' | 'input' | 'working' | 'message';

const ORDER: readonly AppState[] = ['completed', 'failed', 'rejected', 'canceled', 'input', 'working', 'message'];
/** Characters of a sentence that goes to the caller. */
const LONGEST_NOTE = 2_000;
const MOST_FILES = 100;

/** Reads a whole answer with a status of success. Pure. */
export function readAnswer(config: RestAnswerConfig, value: unknown): AppAnswer {
  const word = config.state === undefined ? undefined : asText(valueAt(value, config.state));
  const named = word === undefined ? undefined : ORDER.find((state) => config.states?.[state]?.includes(word) === true);
  const failure = textAt(value, config.error);
  const state = named ?? (word === undefined || word === '' ? (failure === undefined ? 'completed' : 'failed') : 'unknown');
  return {
    state,
    isNamed: named !== undefined,
    parts: partsIn(config, value),
    note: note(state === 'failed' || state === 'rejected' ? (failure ?? textAt(value, config.note)) : textAt(value, config.note)),
    conversation: textAt(value, config.conversation),
    job: textAt(value, config.job),
  };
}

/**
 * An answer that another try or another instance may better, before a task has begun: throws GatewayError for 429 and 5xx, as everywhere in the hub.
 */
export function throwUnwell({ status, headers }: Pick<UpstreamResponse, 'status' | 'headers'>, now: number): void {
  const code = passingStatus(status) ?? (status >= 500 ? 'upstream_failed' : undefined);
  if (code === undefined) return;
  const wait = retryAfterMs(headers['retry-after'], now);
  throw new GatewayError(code, undefined, {
    detail: `status ${status}`,
    ...(wait === undefined ? {} : { retryAfterMs: wait }),
  });
}

/** What an answer without success, and not unwell, means to the caller. The text of a refused credential says nothing, for it may quote it. */
export function readRefusal(config: RestAnswerConfig, status: number, value: unknown): AppAnswer {
  const neutral = (text: string): AppAnswer => ({ state: 'failed', parts: [], note: text });
  if (status === 401 || status === 403) return neutral('The application behind this agent did not accept the request of the hub.');
  if (status < 400) return neutral(`The application behind this agent answered with status ${status}, which is no answer.`);
  const said = textAt(value, config.error) ?? usualError(value);
  return neutral(note(said) ?? `The application behind this agent refused the message (status ${status}).`);
}

/** Where most applications put the sentence: RFC 9457, and what OpenAI, Dify and Model Studio do. */
function usualError(value: unknown): string | undefined {
  if (!isObject(value)) return undefined;
  const { error } = value;
  const places = [value['detail'], value['message'], isObject(error) ? error['message'] : error, value['title']];
  return places.find((text): text is string => typeof text === 'string' && text !== '');
}

/** The body of an answer: JSON where it is some, else its text. */
export function readBody(bytes: Uint8Array): unknown {
  const text = new TextDecoder().decode(bytes);
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

export function note(text: string | undefined): string | undefined {
  return text?.slice(0, LONGEST_NOTE);
}

function partsIn(config: RestAnswerConfig, value: unknown): JsonObject[] {
  const { text, data, files } = config;
  if (text === undefined && data === undefined && files === undefined) return wholePart(value);
  const parts: JsonObject[] = [];
  const said = textAt(value, text);
  if (said !== undefined) parts.push({ text: said });
  const found = data === undefined ? undefined : valueAt(value, data);
  if (found !== undefined && found !== null) parts.push({ data: found, mediaType: 'application/json' });
  if (files !== undefined) parts.push(...[valueAt(value, files)].flat().slice(0, MOST_FILES).flatMap(filePart));
  return parts;
}

function wholePart(value: unknown): JsonObject[] {
  if (value === '' || value === undefined || value === null) return [];
  return [typeof value === 'string' ? { text: value } : { data: value, mediaType: 'application/json' }];
}

function filePart(value: unknown): JsonObject[] {
  const file: JsonObject = isObject(value) ? value : { url: value };
  const { url, filename = file['name'], mediaType = file['mimeType'] } = file;
  // What the agent's callers would open: only what a link may be.
  if (typeof url !== 'string' || !/^https?:\/\//i.test(url)) return [];
  return [{ url, ...(typeof filename === 'string' ? { filename } : {}), ...(typeof mediaType === 'string' ? { mediaType } : {}) }];
}
