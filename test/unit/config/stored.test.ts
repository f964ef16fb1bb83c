import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { joinSecrets, maskSecrets, splitSecrets, validateEntry } from '../../../src/config/validate.ts';
import { formatDuration, formatSize } from '../../../src/config/schema/formats.ts';
import { parseDuration } from '../../../src/core/units/duration.ts';
import { parseRate } from '../../../src/core/units/rate.ts';
import { Secret } from '../../../src/core/secret.ts';
import { parseSize } from '../../../src/core/units/size.ts';

const SERVICE = {
  url: 'https://x.example/openapi.json',
  auth: { schemes: { 'a/b': 'first', login: { username: 'u', password: 'second' } } },
  timeout: '90s',
  policies: [{ 'access-log': { level: 'info' }, lanes: ['tools'], timeout: '1500ms' }, { 'access-log': {} }],
};

describe('entries of the admin API', () => {
  it('take secrets as they are', () => {
    expect(validateEntry('services', SERVICE)).toEqual([]);
    expect(validateEntry('services', { document: { openapi: '3.1.0', info: { title: '${env:X}' } } })).toEqual([]);
    expect(validateEntry('consumers', { groups: ['a'] })).toEqual([]);
    expect(validateEntry('models', { targets: [{ provider: 'p' }] })).toEqual([]);
    expect(validateEntry('policies', { 'access-log': {}, lanes: ['tools'] })).toEqual([]);
    expect(validateEntry('virtual-servers', { tools: [{ from: 'anything' }] })).toEqual([]);
    expect(validateEntry('agents', { card: 'https://x.example', auth: { bearer: 'secret' }, headers: { A: 'b' } })).toEqual([]);
    expect(validateEntry('agents', { rest: { spec: 'https://x.example/openapi.json' } })).toEqual([]);
  });

  it.each([
    ['services', { ...SERVICE, baseUrl: '${env:HOME}' }, 'reference', '/baseUrl'],
    ['services', { ...SERVICE, auth: { bearer: 'x${file:/etc/passwd}' } }, 'reference', '/auth/bearer'],
    ['services', { ...SERVICE, policies: [{ x: { url: '${vault:a}' } }] }, 'reference', '/policies/0/x/url'],
    ['services', { spec: '/etc/passwd' }, 'bad-value', '/spec'],
    ['services', { ...SERVICE, baseUrl: 'hub:admin' }, 'bad-value', '/baseUrl'],
    ['services', {}, 'missing-key', ''],
    ['services', { ...SERVICE, uurl: 1 }, 'unknown-key', '/uurl'],
    ['services', { ...SERVICE, description: 'x'.repeat(1001) }, 'bad-value', '/description'],
    ['services', 'text', 'wrong-type', ''],
    ['services', { ...SERVICE, auth: { bearer: { set: true } } }, 'wrong-type', '/auth/bearer'],
    ['servers', {}, 'missing-key', ''],
    ['agents', {}, 'missing-key', ''],
    ['agents', { card: 'https://x.example', rest: { url: 'https://x.example' } }, 'too-many-keys', ''],
    ['agents', { rest: { spec: '/etc/passwd' } }, 'bad-value', '/rest/spec'],
    ['agents', { targets: [{ card: '${env:HOME}' }] }, 'reference', '/targets/0/card'],
    ['consumers', { name: 'alice' }, 'unknown-key', '/name'],
    ['policies', { a: {}, b: {} }, 'bad-value', ''],
    ['virtual-servers', { tools: [{ from: 'a' }], access: [{ when: 'nope' }] }, 'condition', '/access/0/when'],
    ['virtual-servers', { tools: [{ from: 'a' }], overrides: { 'b.c': {} } }, 'unknown-source', '/overrides/b.c'],
  ])('%s %j are refused: %s at "%s"', (kind, value, code, pointer) => {
    const problems = validateEntry(kind, value);
    expect(problems[0]).toMatchObject({ code, pointer, severity: 'error' });
  });

  it('are parted from their secrets and joined again as the types have them', () => {
    const { config, secrets } = splitSecrets('services', SERVICE);
    expect([...secrets]).toEqual([
      ['/auth/schemes/a~1b', 'first'],
      ['/auth/schemes/login/password', 'second'],
    ]);
    expect(JSON.stringify(config)).not.toMatch(/first|second/);
    const joined = joinSecrets('services', JSON.parse(JSON.stringify(config)), secrets);
    expect(joined).toMatchObject({
      timeout: 90_000,
      auth: { schemes: { 'a/b': new Secret('first'), login: { username: 'u', password: new Secret('second') } } },
      policies: [
        { name: 'access-log', options: { level: 'info' }, lanes: ['tools'], timeout: 1500 },
        { name: 'access-log', options: {} },
      ],
    });
    expect((joined as { auth: { schemes: Record<string, Secret> } }).auth.schemes['a/b']?.reveal()).toBe('first');
    expect(() => joinSecrets('services', config, new Map())).toThrow(/secret at \/auth\/schemes\/a~1b .* is lost/);
  });

  it('are shown as a file would hold them, from the store and from the types alike', () => {
    const shown = {
      ...SERVICE,
      timeout: '90s',
      auth: { schemes: { 'a/b': { set: true }, login: { username: 'u', password: { set: true } } } },
    };
    const { config, secrets } = splitSecrets('services', SERVICE);
    expect(maskSecrets('services', config)).toEqual(shown);
    expect(maskSecrets('services', joinSecrets('services', config, secrets))).toEqual(shown);
    expect(maskSecrets('consumers', joinSecrets('consumers', { limits: { requests: '200k/min' } }, new Map()))).toEqual({
      limits: { requests: '200000/minute' },
    });
    expect(maskSecrets('virtual-servers', joinSecrets('virtual-servers', { tools: [], search: true }, new Map()))).toEqual({
      tools: [],
      search: { mode: 'on' },
    });
  });
});

describe('texts with a unit', () => {
  it('are read', () => {
    expect(['250ms', '30s', '5m', '1.5h', '1d'].map(parseDuration)).toEqual([250, 30_000, 300_000, 5_400_000, 86_400_000]);
    expect(['0s', '5', 's', '-1s', '1 s', '25d', '0.2ms'].map(parseDuration)).toEqual(Array.from({ length: 7 }, () => undefined));
    expect(['600/min', '1.5M/day', '2k/hour'].map(parseRate)).toEqual([
      { amount: 600, per: 'minute' },
      { amount: 1_500_000, per: 'day' },
      { amount: 2000, per: 'hour' },
    ]);
    expect(['64MB', '1.5KB', '3B', '1TB'].map(parseSize)).toEqual([67_108_864, 1536, 3, undefined]);
  });

  it('come back as they were', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 86_400_000 }), (value) => parseDuration(formatDuration(value)) === value));
    fc.assert(fc.property(fc.nat(), (value) => parseSize(formatSize(value)) === value));
    expect([formatDuration(90_000), formatDuration(7_200_000), formatSize(67_108_864)]).toEqual(['90s', '2h', '64MB']);
  });
});
