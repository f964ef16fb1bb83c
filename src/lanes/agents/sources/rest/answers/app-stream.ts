import type { RestStreamConfig } from '../../../../../config/types.ts';
import { GatewayError } from '../../../../../core/errors.ts';
import type { UpstreamResponse } from '../../../../../core/upstream.ts';
import { createEventStreamReader, type FrameReader } from '../../../../../upstreams/event-stream.ts';
import { note } from './app-answer.ts';
import { createLineReader } from './line-reader.ts';
import { asText, textAt, valueAt } from '../template/place.ts';

/** What one event of a streamed answer brings. Of several, the failure is last. */
export interface AppPiece {
  readonly text?: string | undefined;
  /** The text replaces all that came before. */
  readonly replace?: boolean;
  readonly data?: unknown;
  readonly note?: string | undefined;
  readonly conversation?: string | undefined;
  readonly job?: string | undefined;
  /** The application has failed; what it said, or an empty text. */
  readonly failure?: string | undefined;
}

export type StreamFormat = NonNullable<RestStreamConfig['format']>;

/** How an answer streams, by its content type; undefined for one that comes whole. */
export function formatOf(config: RestStreamConfig | undefined, headers: UpstreamResponse['headers']): StreamFormat | undefined {
  const type = String(headers['content-type'] ?? '').toLowerCase();
  if (type.startsWith('text/event-stream')) return 'sse';
  if (/^application\/(?:x-ndjson|ndjson|jsonl|x-jsonlines|json-seq|stream\+json)\b/.test(type)) return 'ndjson';
  const saysNothing = type === '' || /^(?:text\/plain|application\/octet-stream)\b/.test(type);
  return config !== undefined && saysNothing ? (config.format ?? 'sse') : undefined;
}

/**
 * Reads a streamed answer piece by piece, wherever its bytes are cut. Throws GatewayError: `upstream_cut` when it ends before the configuration says
 * that it is complete, and what the body throws.
 */
export async function* readPieces(
  config: RestStreamConfig,
  format: StreamFormat,
  body: AsyncIterable<Uint8Array>,
): AsyncGenerator<AppPiece, void> {
  const reading = new Reading(config, format === 'sse' ? createEventStreamReader() : createLineReader());
  try {
    for await (const bytes of body) {
      yield* reading.push(bytes);
      if (reading.ended) return;
    }
  } catch (error) {
    // What the application has called complete is so, whatever becomes of the connection.
    if (reading.finished) return;
    throw error;
  }
  yield* reading.close();
  if (reading.isCut) throw new GatewayError('upstream_cut', 'The answer of the application broke off.');
}

class Reading {
  readonly #config: RestStreamConfig;
  readonly #reader: FrameReader;
  /** An event that ends the stream has come. */
  ended = false;
  /** The answer is complete, though events may follow. */
  finished = false;

  constructor(config: RestStreamConfig, reader: FrameReader) {
    this.#config = config;
    this.#reader = reader;
  }

  get isCut(): boolean {
    const { end, finish } = this.#config;
    return (end !== undefined || finish !== undefined) && !this.ended && !this.finished;
  }

  push(bytes: Uint8Array): AppPiece[] {
    return this.#pieces(this.#reader.push(bytes));
  }

  close(): AppPiece[] {
    return this.#pieces(this.#reader.close());
  }

  #pieces(frames: ReturnType<FrameReader['push']>): AppPiece[] {
    const pieces: AppPiece[] = [];
    for (const { event = 'message', data } of frames) {
      if (this.ended) break;
      const piece = this.#piece(event, data);
      if (piece !== undefined) pieces.push(piece);
    }
    return pieces;
  }

  #piece(event: string, data: string): AppPiece | undefined {
    const config = this.#config;
    if (data === '[DONE]' || config.end?.includes(data) === true) {
      this.ended = true;
      return undefined;
    }
    const value = parsed(data);
    const type = config.type === undefined ? event : asText(valueAt(value, config.type));
    const failure = this.#failure(type, value);
    if (failure !== undefined) {
      this.ended = true;
      return { failure };
    }
    this.#seeEnd(type, value);
    const replace = config.replace?.includes(type) === true;
    const hasText = replace || (config.texts === undefined ? !this.ended : config.texts.includes(type));
    const piece: AppPiece = {
      text: hasText ? (config.text === undefined ? asText(value) : textAt(value, config.text)) : undefined,
      replace,
      data: config.data === undefined ? undefined : (valueAt(value, config.data) ?? undefined),
      note: note(textAt(value, config.note)),
      conversation: textAt(value, config.conversation),
      job: textAt(value, config.job),
    };
    return piece;
  }

  #failure(type: string, value: unknown): string | undefined {
    const { errors, error } = this.#config;
    if (errors !== undefined && !errors.includes(type)) return undefined;
    const said = note(textAt(value, error));
    return errors === undefined ? said : (said ?? '');
  }

  #seeEnd(type: string, value: unknown): void {
    const { end, finish } = this.#config;
    if (end?.includes(type) === true) this.ended = true;
    if (finish === undefined) return;
    const word = textAt(value, finish);
    // Model Studio writes the word where others write null.
    if (word !== undefined && word !== 'null' && word !== 'false') this.finished = true;
  }
}

function parsed(data: string): unknown {
  try {
    return JSON.parse(data) as unknown;
  } catch {
    return data;
  }
}
