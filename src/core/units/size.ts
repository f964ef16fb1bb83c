/** Units of size in bytes. */
export const BYTES = { B: 1, KB: 1024, MB: 1024 ** 2, GB: 1024 ** 3 } as const;

/** `64MB` as bytes; undefined for what is none. */
export function parseSize(text: string): number | undefined {
  const found = /^(\d+(?:\.\d+)?)(B|KB|MB|GB)$/.exec(text);
  return found ? Math.round(Number(found[1]) * BYTES[found[2] as keyof typeof BYTES]) : undefined;
}
