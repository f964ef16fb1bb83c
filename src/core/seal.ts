import type { KeyObject } from 'node:crypto';
import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, randomBytes } from 'node:crypto';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Encrypts texts with AES-256-GCM under a key derived from the hub's secret key for one purpose. */
export class Seal {
  /** Names the key without telling anything of it; eight hex digits. Stands at the start of each sealed text. */
  readonly keyId: string;
  /** Several times faster to use than its bytes. */
  readonly #key: KeyObject;

  /** `secretKey` has 32 bytes. */
  constructor(secretKey: Buffer, purpose: string) {
    if (secretKey.length !== 32) throw new Error('The secret key of the hub has 32 bytes (HUBGATE_SECRET_KEY: 64 hex digits).');
    this.#key = createSecretKey(Buffer.from(hkdfSync('sha256', secretKey, '', `hubgate ${purpose}`, 32)));
    this.keyId = Buffer.from(hkdfSync('sha256', secretKey, '', `hubgate ${purpose} id`, 4)).toString('hex');
  }

  /** `place` says where the text belongs; it opens nowhere else. The result is URL-safe ASCII. */
  seal(text: string, place: string): string {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce).setAAD(Buffer.from(place));
    const body = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    return `${this.keyId}.${body.toString('base64url')}`;
  }

  /** Undefined for whatever this key did not seal for this place. */
  open(sealed: string, place: string): string | undefined {
    if (!sealed.startsWith(`${this.keyId}.`)) return undefined;
    const written = sealed.slice(this.keyId.length + 1);
    const body = Buffer.from(written, 'base64url');
    // One text has one spelling, so that who remembers a sealed text by its digest is not fooled by another spelling of it.
    if (body.length < NONCE_BYTES + TAG_BYTES || body.toString('base64url') !== written) return undefined;
    const decipher = createDecipheriv('aes-256-gcm', this.#key, body.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
      .setAAD(Buffer.from(place))
      .setAuthTag(body.subarray(-TAG_BYTES));
    try {
      return decipher.update(body.subarray(NONCE_BYTES, -TAG_BYTES), undefined, 'utf8') + decipher.final('utf8');
    } catch {
      return undefined;
    }
  }
}
