import { hash } from 'node:crypto';

/**
 * Who the caller's user is, for a vendor whose format the caller does not speak: the first 32 hex digits of its SHA-256. So no e-mail address goes
 * where nobody meant it to go, and no vendor refuses it for its length (OpenAI takes 64 characters, Claude Code sends 159) or its letters.
 */
export function userId(user: string): string {
  return hash('sha256', user, 'hex').slice(0, 32);
}
