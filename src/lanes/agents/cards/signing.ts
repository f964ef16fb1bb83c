import { createPrivateKey, createPublicKey, hash, hkdfSync, sign } from 'node:crypto';
import { decodeProtectedHeader, flattenedVerify, importJWK } from 'jose';
import type { JWK } from 'jose';
import type { SignatureState } from '../../../core/contracts/agent-source.ts';
import { isObject, type JsonObject } from '../../../core/json.ts';
import { canonicalForms, writtenForms } from './canonical-card.ts';

export interface CardSigner {
  /**
   * The card of A2A 1.0 with the hub's signatures in place of what was there. One card has one result, on every node of the hub. What is signed are the
   * fields that the specification has; others go along unsigned, since verifiers drop them before they look. `jku` is where `jwks` is served.
   */
  sign(card: JsonObject, jku?: string): JsonObject;
  /** The public key, as a JWK set (RFC 7517, 5). */
  readonly jwks: JsonObject;
}

/** PKCS #8 around the 32 bytes of an Ed25519 key (RFC 8410, 7). */
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');

/** Public-key algorithms only: with a shared key, who can verify can sign. */
const ALGORITHMS = ['EdDSA', 'Ed25519', 'ES256', 'ES384', 'ES512', 'RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'];

/**
 * Signs with a key derived from the hub's secret key of 32 bytes. It is Ed25519 because that gives one signature for one text: with ECDSA a card, and so
 * its ETag, would be another one on each node and at each restart.
 */
export function createCardSigner(secretKey: Buffer): CardSigner {
  const seed = Buffer.from(hkdfSync('sha256', secretKey, '', 'hubgate agent cards', 32));
  const key = createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' });
  const { crv, kty, x } = createPublicKey(key).export({ format: 'jwk' });
  // RFC 7638: the thumbprint names the key.
  const kid = hash('sha256', JSON.stringify({ crv, kty, x }), 'base64url');

  function signatureOver(payload: string, jku: string | undefined): JsonObject {
    const header = base64url(JSON.stringify({ alg: 'EdDSA', kid, typ: 'JOSE', ...(jku !== undefined && { jku }) }));
    const signature = sign(null, Buffer.from(`${header}.${base64url(payload)}`), key);
    return { protected: header, signature: signature.toString('base64url') };
  }

  return {
    sign(card, jku) {
      // One is enough for a reader, and readers differ in what they check it against.
      return { ...card, signatures: writtenForms(card).map((payload) => signatureOver(payload, jku)) };
    },
    jwks: { keys: [{ kty, crv, x, kid, alg: 'EdDSA', use: 'sig' }] },
  };
}

/**
 * Whether a card as it came is signed by one of `keys` (public keys as JWK). A key with a `kid` is for signatures that name it; one without is tried on
 * all. What the card itself says of keys (`jku`, `jwk`) counts for nothing: who forges a card forges that too.
 */
export async function verifyCard(raw: JsonObject, keys: readonly JsonObject[]): Promise<SignatureState> {
  const signatures = Array.isArray(raw['signatures']) ? raw['signatures'] : [];
  if (signatures.length === 0) return 'unsigned';
  if (keys.length === 0) return 'unchecked';
  const payloads = canonicalForms(raw).map(base64url);
  for (const entry of signatures) {
    if (isObject(entry) && (await isSigned(entry, payloads, keys))) return 'verified';
  }
  return 'invalid';
}

async function isSigned(entry: JsonObject, payloads: readonly string[], keys: readonly JsonObject[]): Promise<boolean> {
  const { protected: header, signature } = entry;
  if (typeof header !== 'string' || typeof signature !== 'string') return false;
  for (const jwk of keys) {
    try {
      const { alg, kid } = decodeProtectedHeader({ protected: header, signature, payload: '' });
      if (alg === undefined || !ALGORITHMS.includes(alg) || (jwk['kid'] !== undefined && jwk['kid'] !== kid)) continue;
      const key = await importJWK(jwk as JWK, alg);
      for (const payload of payloads) {
        if (await verifies({ protected: header, signature, payload }, key)) return true;
      }
    } catch {
      // A header that cannot be read, or a key of another kind than the signature says.
    }
  }
  return false;
}

async function verifies(
  jws: { protected: string; signature: string; payload: string },
  key: Awaited<ReturnType<typeof importJWK>>,
): Promise<boolean> {
  try {
    await flattenedVerify(jws, key, { algorithms: ALGORITHMS });
    return true;
  } catch {
    return false;
  }
}

function base64url(text: string): string {
  return Buffer.from(text).toString('base64url');
}
