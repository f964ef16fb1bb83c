import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSessionSeal } from '../../../src/access/session-seal.ts';

const secretKey = Buffer.alloc(32, 5);
const session = { consumer: 'alice', revision: '2025-11-25', capabilities: { sampling: {} } };

describe('createSessionSeal', () => {
  it('opens what it sealed, on another node too', () => {
    const id = createSessionSeal(secretKey).seal(session);
    expect(id).toMatch(/^[\x21-\x7e]+$/);
    expect(encodeURIComponent(id)).toBe(id);
    expect(id).not.toContain(Buffer.from('alice').toString('base64url').slice(0, 5));
    expect(createSessionSeal(Buffer.from(secretKey)).open(id)).toEqual(session);
  });

  it('never makes the same id twice', () => {
    const seal = createSessionSeal(secretKey);
    expect(new Set(Array.from({ length: 100 }, () => seal.seal(session))).size).toBe(100);
  });

  it('keeps any JSON as it is', () => {
    const seal = createSessionSeal(secretKey);
    const parsed = JSON.parse('{"__proto__":{"admin":true},"constructor":1}') as object;
    expect(Object.keys(seal.open(seal.seal(parsed))!)).toEqual(['__proto__', 'constructor']);
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }), { maxKeys: 5 }), (value) => {
        expect(JSON.stringify(seal.open(seal.seal(value)))).toBe(JSON.stringify(value));
      }),
      { numRuns: 200 },
    );
  });

  it('opens nothing else', () => {
    const seal = createSessionSeal(secretKey);
    const id = seal.seal(session);
    for (const text of [
      '',
      '__proto__',
      'constructor',
      '.',
      id.slice(0, 8),
      `${id.slice(0, 9)}AAAA`,
      `${id}A`,
      ` ${id}`,
      id.slice(0, -1),
      id.slice(1),
      'x'.repeat(20_000),
      'ü',
    ]) {
      expect(seal.open(text), text.slice(0, 40)).toBeUndefined();
    }
    expect(seal.open(createSessionSeal(randomBytes(32)).seal(session))).toBeUndefined();
    // A foreign text under our key's name.
    expect(seal.open(id.slice(0, 9) + createSessionSeal(randomBytes(32)).seal(session).slice(9))).toBeUndefined();
    fc.assert(fc.property(fc.string(), (text) => seal.open(text) === undefined));
    fc.assert(
      fc.property(fc.nat(id.length - 2), fc.constantFrom('A', 'b', '0', '_'), (at, letter) => {
        const changed = id.slice(0, at) + letter + id.slice(at + 1);
        return changed === id || seal.open(changed) === undefined;
      }),
    );
  });

  it('ends a session at its age', () => {
    let time = 1000;
    const seal = createSessionSeal(secretKey, { maxAgeMs: 500, now: () => time });
    const id = seal.seal(session);
    time = 1499;
    expect(seal.open(id)).toEqual(session);
    time = 1500;
    expect(seal.open(id)).toBeUndefined();
    expect(createSessionSeal(secretKey).maxAgeMs).toBe(30 * 86_400_000);
  });

  it('refuses what no header can carry', () => {
    const seal = createSessionSeal(secretKey);
    expect(() => seal.seal({ capabilities: 'x'.repeat(10_000) })).toThrow(expect.objectContaining({ code: 'bad_request' }) as Error);
  });
});
