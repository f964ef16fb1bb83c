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

/** A zip archive as it stands where a document's text does. */
export function archiveText(bytes: Uint8Array): string {
  return `data:application/zip;base64,${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')}`;
}

/** A document as it was fetched: a zip archive, told by how it begins, as `archiveText` has it, and all else decoded. */
export function documentText(bytes: Uint8Array): string {
  const isZip = bytes[0] === 0x50 && bytes[1] === 0x4b && bytes[2] === 3 && bytes[3] === 4;
  return isZip ? archiveText(bytes) : decodeText(bytes);
}
