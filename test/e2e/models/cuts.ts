import { type Format, frames, readTranscript, type TranscriptName, TRANSCRIPTS } from './transcripts.ts';

/**
 * How the connection ends. `chunked end`: as if all had been said. `reset`: RST inside a chunked body. `end without length`: FIN of a body that
 * has neither a length nor chunks, which HTTP takes for its end. `fin`: FIN where HTTP wants more.
 */
export type Closing = 'chunked end' | 'reset' | 'end without length' | 'fin';

/** One way of breaking a streamed answer off. */
export interface Cut {
  readonly name: string;
  readonly closing: Closing;
  /** What goes out before: `none`, half of the header lines, or all of them. */
  readonly head: 'none' | 'half' | 'whole';
  readonly body: Buffer;
}

/** Frames with a token in them, and the one that says why the answer ended. The last frame of all completes the answer. */
const MARKS: Readonly<Record<Format, { readonly token: RegExp; readonly finish: RegExp }>> = {
  'openai-chat': { token: /"(?:content|reasoning_content|arguments)":"[^"]/, finish: /"finish_reason":"/ },
  'openai-responses': { token: /"type":"response\.\w+\.delta"/, finish: /"type":"response\.output_item\.done"/ },
  'anthropic-messages': { token: /"type":"content_block_delta"/, finish: /"type":"message_delta"/ },
  gemini: { token: /"parts"/, finish: /"finishReason"/ },
  'bedrock-converse': { token: /contentBlockDelta/, finish: /messageStop/ },
};
/** Without a frame of their own that says "complete", these are whole once the finish has come and HTTP says the body has ended. */
const ENDS_WITH_FINISH: readonly Format[] = ['gemini', 'bedrock-converse'];

const CLOSINGS = ['chunked end', 'reset', 'end without length'] as const;
const POSITIONS = [
  'after a frame',
  'inside a frame',
  'inside a character',
  'after the last token',
  'after the finish',
  'inside the end',
] as const;

/** 72 ways for each format: 4 answers × 6 positions × 3 ways of closing. */
export function bodyCuts(format: Format): Cut[] {
  return TRANSCRIPTS.flatMap((transcript) =>
    POSITIONS.flatMap((position) =>
      CLOSINGS.map((closing) => ({
        name: `${transcript}, ${position}, ${closing}`,
        closing,
        head: 'whole' as const,
        body: cutAt(format, transcript, position, closing),
      })),
    ),
  );
}

/** Those before the first byte of the body, which are the same for all formats. */
function headCuts(): Cut[] {
  const body = Buffer.alloc(0);
  const ways: readonly (readonly [Cut['head'], Closing])[] = [
    ['none', 'reset'],
    ['none', 'fin'],
    ['half', 'reset'],
    ['half', 'fin'],
    ['whole', 'chunked end'],
    ['whole', 'reset'],
    ['whole', 'fin'],
    ['whole', 'end without length'],
  ];
  return ways.map(([head, closing]) => ({ name: `headers: ${head}, ${closing}`, closing, head, body }));
}

export const cutsOf = (format: Format): Cut[] => [...headCuts(), ...bodyCuts(format)];

function cutAt(format: Format, transcript: TranscriptName, position: (typeof POSITIONS)[number], closing: Closing): Buffer {
  const body = readTranscript(format, transcript);
  const parts = frames(format, body);
  const ends = parts.map((_, i) => parts.slice(0, i + 1).reduce((sum, part) => sum + part.length, 0));
  const { token, finish } = MARKS[format];
  const tokens = parts.flatMap((part, i) => (token.test(part.toString()) ? [i] : []));
  const last = parts.length - 1;
  const end = (i: number): number => ends[Math.max(0, i)] ?? 0;
  const inside = (i: number): number => end(i) - Math.ceil((parts[i]?.length ?? 0) / 2);
  switch (position) {
    case 'after a frame':
      return body.subarray(0, end(tokens[Math.floor((tokens.length - 1) / 3)] ?? 0));
    case 'inside a frame':
      return body.subarray(0, inside(tokens[Math.floor(tokens.length / 2)] ?? 0));
    case 'inside a character':
      return body.subarray(0, insideCharacter(body.subarray(0, end(tokens.at(-1) ?? 0))));
    case 'after the last token':
      return body.subarray(0, end(Math.min(tokens.at(-1) ?? 0, last - 1)));
    case 'after the finish': {
      const finished = parts.findLastIndex((part) => finish.test(part.toString()));
      const looksWhole = ENDS_WITH_FINISH.includes(format) && closing !== 'reset';
      // What is whole by then is cut a few bytes earlier.
      return body.subarray(0, looksWhole ? end(finished) - 6 : end(finished));
    }
    case 'inside the end':
      return body.subarray(0, inside(last));
  }
}

/** Before the last byte of the last character that has several. */
function insideCharacter(body: Buffer): number {
  const at = body.findLastIndex((byte) => (byte & 0xc0) === 0x80);
  if (at < 0) throw new Error('no character of several bytes');
  return at;
}
