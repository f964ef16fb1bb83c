/** Takes an account's own credentials out of what its vendor sends back. Gives the same object where there are none, which is nearly always. */
export interface Mask {
  bytes(piece: Buffer): Buffer;
  text(piece: string): string;
}

/** A part of a credential that every spelling of it leaves as it is, and that is long enough to be no chance. */
const PLAIN = /[A-Za-z0-9_-]{8,}/g;

/**
 * A vendor has no reason to repeat a credential, but a server behind a base URL of one's own may echo what it gets. Bytes are searched for the
 * longest plain part of each, which costs next to nothing; only where it is found is the text read and masked by `redact`.
 */
export function createMask(secrets: readonly string[], redact: (text: string) => string): Mask {
  const parts = secrets.flatMap((secret) => (secret.match(PLAIN) ?? []).toSorted((a, b) => b.length - a.length).slice(0, 1));
  const needles = parts.map((part) => Buffer.from(part));
  return {
    bytes: (piece) => (needles.some((needle) => piece.includes(needle)) ? Buffer.from(redact(piece.toString())) : piece),
    text: (piece) => (parts.some((part) => piece.includes(part)) ? redact(piece) : piece),
  };
}
