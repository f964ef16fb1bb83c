import { isObject } from '../../../../core/json.ts';
import type { ReadResource } from '../../../../core/contracts/tool-source.ts';
import { ArgumentFault } from './values.ts';

/** A file as an argument gives it. */
export interface GivenFile {
  readonly bytes: Uint8Array;
  readonly filename?: string;
  /** Media type; absent when the argument does not say. */
  readonly type?: string;
}

const DATA_URI = /^data:([^,;]{0,100})[^,]{0,200};base64,/;

/**
 * A file: its bytes in base64, a `data:` URI of them, the URI of a resource of the hub's, or any of these as `data` with a filename and mimeType.
 * `key` is how faults name it. Throws ArgumentFault.
 */
export function readFile(value: unknown, key: string, readResource: ReadResource): GivenFile {
  if (!isObject(value)) return readBytes(value, key, readResource);
  const { filename, mimeType } = value;
  const file = readBytes(value['data'], key, readResource);
  return {
    ...file,
    ...(typeof filename === 'string' && filename !== '' && { filename }),
    ...(typeof mimeType === 'string' && isMediaType(mimeType) && { type: mimeType }),
  };
}

function readBytes(value: unknown, key: string, readResource: ReadResource): GivenFile {
  const text = typeof value === 'string' ? value : undefined;
  if (text?.startsWith('hubgate://') === true) {
    const found = readResource(text);
    if (found === undefined) throw new ArgumentFault(`${key}: there is no ${text.slice(0, 100)} for you, or no longer.`);
    return { bytes: found.body, type: found.mimeType };
  }
  const type = text === undefined ? undefined : DATA_URI.exec(text)?.[1];
  const base64 = text?.replace(DATA_URI, '').replace(/\s+/g, '');
  if (base64 === undefined || !/^[A-Za-z0-9+/_-]*={0,2}$/.test(base64)) throw new ArgumentFault(`${key}: the bytes in base64 are wanted.`);
  return { bytes: Buffer.from(base64, 'base64'), ...(type !== undefined && isMediaType(type) && { type }) };
}

/** On one line, or it would be more than one header. */
function isMediaType(text: string): boolean {
  return /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(\s*;[\x20-\x7e]*)?$/.test(text);
}
