import type { ModelsChunk } from '../../../../../core/models.ts';
import type { JsonObject } from '../../../../../core/json.ts';

/** Numbers the events of one stream from 0, as the format wants it. */
export class Frames {
  #next = 0;

  make(type: string, fields: JsonObject): ModelsChunk {
    return { event: type, data: { type, ...fields, sequence_number: this.#next++ } };
  }
}

/** Which item an event is about. */
export interface At {
  readonly item_id: string;
  readonly output_index: number;
}

interface Words {
  /** Of the events before and after the part. */
  readonly part: string;
  /** Of the events with its text. */
  readonly text: string;
  readonly index: 'content_index' | 'summary_index';
  /** The field of the part that holds the text. */
  readonly field: 'text' | 'refusal';
  readonly empty: JsonObject;
  readonly extra?: JsonObject;
}

const CONTENT = { part: 'response.content_part', index: 'content_index' } as const;

/** Sorts of parts that are streamed, by their `type`. */
const WORDS = {
  output_text: {
    ...CONTENT,
    text: 'response.output_text',
    field: 'text',
    empty: { type: 'output_text', text: '', annotations: [], logprobs: [] },
    extra: { logprobs: [] },
  },
  refusal: { ...CONTENT, text: 'response.refusal', field: 'refusal', empty: { type: 'refusal', refusal: '' } },
  reasoning_text: { ...CONTENT, text: 'response.reasoning_text', field: 'text', empty: { type: 'reasoning_text', text: '' } },
  summary_text: {
    part: 'response.reasoning_summary_part',
    index: 'summary_index',
    text: 'response.reasoning_summary_text',
    field: 'text',
    empty: { type: 'summary_text', text: '' },
  },
} as const satisfies Record<string, Words>;

export type PartType = keyof typeof WORDS;

const isPartType = (type: unknown): type is PartType => typeof type === 'string' && Object.hasOwn(WORDS, type);

/** One part of an item while it is streamed: opened, given in pieces, and repeated whole at its end. */
export class OpenPart {
  readonly type: PartType;
  readonly #frames: Frames;
  readonly #words: Words;
  readonly #at: JsonObject;
  #text = '';

  constructor(frames: Frames, type: PartType, at: At, index: number) {
    this.type = type;
    this.#frames = frames;
    this.#words = WORDS[type];
    this.#at = { ...at, [this.#words.index]: index };
  }

  open(): ModelsChunk {
    return this.#frames.make(`${this.#words.part}.added`, { ...this.#at, part: this.#words.empty });
  }

  piece(text: string): ModelsChunk {
    this.#text += text;
    return this.#frames.make(`${this.#words.text}.delta`, { ...this.#at, delta: text, ...this.#words.extra });
  }

  /** `part` is the whole part, where it holds more than its text. */
  close(part: JsonObject = this.part): ModelsChunk[] {
    const { text, part: name, field, extra } = this.#words;
    return [
      this.#frames.make(`${text}.done`, { ...this.#at, [field]: this.#text, ...extra }),
      this.#frames.make(`${name}.done`, { ...this.#at, part }),
    ];
  }

  get part(): JsonObject {
    return { ...this.#words.empty, [this.#words.field]: this.#text };
  }
}

/** A whole part as a stream brings it; nothing for a sort that is not streamed. */
export function wholePart(frames: Frames, part: JsonObject, at: At, index: number): ModelsChunk[] {
  if (!isPartType(part['type'])) return [];
  const open = new OpenPart(frames, part['type'], at, index);
  const text = part[WORDS[part['type']].field];
  return [open.open(), ...(typeof text === 'string' && text !== '' ? [open.piece(text)] : []), ...open.close(part)];
}
