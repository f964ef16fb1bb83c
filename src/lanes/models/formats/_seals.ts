import type { Seal } from '../../../core/chat.ts';

const MARK = 'hubgate:';

/**
 * A seal as the text of a field whose format knows seals of one family only. Those of other families say whose they are, so that they find their
 * way back when the caller sends the conversation again.
 */
export function writeSeal({ family, value }: Seal, native: string): string {
  return family === native ? value : `${MARK}${family}:${value}`;
}

export function readSeal(text: string, native: string): Seal {
  if (!text.startsWith(MARK)) return { family: native, value: text };
  const end = text.indexOf(':', MARK.length);
  return end < 0 ? { family: native, value: text } : { family: text.slice(MARK.length, end), value: text.slice(end + 1) };
}
