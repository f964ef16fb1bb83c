import type { KeyObject } from 'node:crypto';
import { createHmac, hash, randomBytes } from 'node:crypto';

const PREFIX = 'hg_';

/** A new key: `hg_` and 32 random bytes. It is shown once and kept nowhere. */
export function createKey(): string {
  return PREFIX + randomBytes(32).toString('base64url');
}

/** True for a text that looks like a key of the hub's own making. */
export function isHubKey(key: string): boolean {
  return key.length === 46 && key.startsWith(PREFIX);
}

/** How a file names a key: lower-case hex. */
export function keyDigest(key: string): string {
  return hash('sha256', key);
}

/** How the store names a key that the hub made: lower-case hex, worth nothing without the pepper (six times faster as a KeyObject). */
export function pepperedDigest(key: string, pepper: Buffer | KeyObject): string {
  return createHmac('sha256', pepper).update(key).digest('hex');
}
