/** How UTF-16 begins when it has no byte order mark: JSON and YAML start with an ASCII character, which leaves one byte of two zero. */
const LITTLE = (bytes: Uint8Array): boolean => bytes[0] !== 0 && bytes[1] === 0;
const BIG = (bytes: Uint8Array): boolean => bytes[0] === 0 && bytes[1] !== 0;

/**
 * A JSON or YAML file as text, by its byte order mark or its first two bytes (YAML 1.2.2, 5.2; UTF-32 apart): UTF-8, or UTF-16 of either order. The
 * mark is left out; what is no valid UTF becomes U+FFFD.
 */
export function decodeText(bytes: Uint8Array): string {
  const marked = bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf-16le' : bytes[0] === 0xfe && bytes[1] === 0xff ? 'utf-16be' : undefined;
  const found = marked ?? (bytes.length < 2 ? undefined : LITTLE(bytes) ? 'utf-16le' : BIG(bytes) ? 'utf-16be' : undefined);
  return new TextDecoder(found ?? 'utf-8').decode(bytes);
}
