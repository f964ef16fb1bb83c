/** What a client is to be connected to. */
export interface ConnectTarget {
  /** Under which the client lists it: the server's name, or `hubgate`. */
  readonly name: string;
  /** The MCP endpoint. */
  readonly url: string;
  /** The address of the hub itself. */
  readonly hubUrl: string;
  readonly server?: string | undefined;
  /** The hub has consumers, so a call needs a key. */
  readonly keyed: boolean;
  /** Starts this hubgate's command line: the absolute path of node, and that of `bin/hubgate.js`. */
  readonly launch: { readonly node: string; readonly bin: string };
}

/** How a client is connected. Holds no key: each client gets a reference that it resolves, or a place to put the key. */
export interface ClientSetup {
  readonly title: string;
  /** What a person has left to do, in order. */
  readonly steps: readonly string[];
  readonly file?: ClientFile;
  /** Shell commands that do the same as the file. */
  readonly commands?: readonly string[];
  /** Links that do the same as the file. */
  readonly links?: readonly string[];
}

export interface ClientFile {
  path(platform: NodeJS.Platform, home: string, cwd: string): string;
  /** The client's file with the hub in it; all else stays. @throws {TypeError} when `existing` has not the shape of such a file */
  merge(existing: unknown): JsonObject;
}

/**
 * `existing` with `entry` under `name` in `section`. What a person added to the entry stays, above all a key
 * that was put in the place kept for it (`HUBGATE_KEY`, `Authorization`).
 * @throws {TypeError} when `existing` or what it has at these places is no object
 */
export function putEntry(existing: unknown, section: string, name: string, entry: JsonObject): JsonObject {
  const root = objectAt(existing, 'the file');
  const entries = objectAt(own(root, section), `"${section}"`);
  const before = objectAt(own(entries, name), `"${section}"."${name}"`);
  const merged: Record<string, unknown> = { ...before, ...entry };
  // An entry that changed from a process to an address, or back, must not keep both.
  for (const key of entry.url === undefined ? ['url', 'type'] : ['command', 'args']) delete merged[key];
  for (const [place, secret] of SECRETS) {
    if (entry[place] === undefined) continue;
    const held = objectAt(own(before, place), `"${section}"."${name}"."${place}"`);
    const kept = own(held, secret);
    merged[place] = { ...held, ...objectAt(entry[place], place), ...(kept !== undefined && { [secret]: kept }) };
  }
  return { ...root, [section]: { ...entries, [name]: merged } };
}

const SECRETS = [
  ['env', 'HUBGATE_KEY'],
  ['headers', 'Authorization'],
] as const;

function own(object: JsonObject, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

function objectAt(value: unknown, place: string): JsonObject {
  if (value === undefined) return {};
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new TypeError(`${place} holds no object`);
  return value as JsonObject;
}
import type { JsonObject } from '../../core/json.ts';
