import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadOrCreateAdminToken, loadOrCreateSecretKey, References } from '../../../src/config/secrets.ts';
import { folderWith } from './folder.ts';

const HEX = '0123456789abcdef'.repeat(4);

describe('the secret key', () => {
  it('is made once in the data folder, for its owner only', async () => {
    const data = path.join(await folderWith({}), 'new/data');
    const key = loadOrCreateSecretKey(data, {});
    expect(key).toHaveLength(32);
    expect(statSync(path.join(data, 'secret-key')).mode & 0o777).toBe(0o600);
    expect(statSync(data).mode & 0o777).toBe(0o700);
    expect(loadOrCreateSecretKey(data, {}).equals(key)).toBe(true);
    expect(readFileSync(path.join(data, 'secret-key'), 'utf8')).toBe(`${key.toString('hex')}\n`);
  });

  it('may be given, and then nothing is made', async () => {
    const data = path.join(await folderWith({}), 'data');
    expect(loadOrCreateSecretKey(data, { HUBGATE_SECRET_KEY: HEX }).toString('hex')).toBe(HEX);
    expect(statSync(data, { throwIfNoEntry: false })).toBeUndefined();
  });

  it('that is malformed is a clear error, which does not show it', async () => {
    const data = await folderWith({ 'secret-key': 'canary\n' });
    expect(() => loadOrCreateSecretKey(data, {})).toThrow(/secret-key must be 64 hex digits/);
    expect(() => loadOrCreateSecretKey(data, { HUBGATE_SECRET_KEY: `${HEX}canary` })).toThrow(
      /^HUBGATE_SECRET_KEY must be 64 hex digits\. (?!.*canary)/,
    );
  });
});

describe('the admin token', () => {
  it('is made once in the data folder, for its owner only', async () => {
    const data = await folderWith({});
    const first = loadOrCreateAdminToken(data, { HUBGATE_ADMIN_TOKEN: '' });
    expect(first).toEqual({ token: expect.stringMatching(/^[\w-]{43}$/), given: false });
    expect(statSync(path.join(data, 'admin-token')).mode & 0o777).toBe(0o600);
    expect(loadOrCreateAdminToken(data, {})).toEqual(first);
  });

  it('may be given', async () => {
    expect(loadOrCreateAdminToken(await folderWith({}), { HUBGATE_ADMIN_TOKEN: 'short' })).toEqual({ token: 'short', given: true });
  });

  it('that is empty in its file is an error', async () => {
    const data = await folderWith({ 'admin-token': '\n' });
    expect(() => loadOrCreateAdminToken(data, {})).toThrow(/admin-token is empty/);
  });
});

describe('references', () => {
  it('are replaced inside longer texts, once', async () => {
    const folder = await folderWith({ token: 'in-file\r\n' });
    const references = new References({ A: 'one', B: '${env:A}' }, folder);
    expect(references.resolve('x ${env:A} ${file:token} $y ${z}')).toEqual({ text: 'x one in-file $y ${z}', values: ['one', 'in-file'] });
    expect(references.resolve('${env:B}').text).toBe('${env:A}');
    expect(references.files).toEqual([path.join(folder, 'token')]);
  });

  it('keep "$" in values as it is', () => {
    expect(new References({ A: '$&$1' }, '/').resolve('<${env:A}>').text).toBe('<$&$1>');
  });

  it('never reach what the environment inherits', () => {
    expect(() => new References({}, '/').resolve('${env:toString}')).toThrow(/toString is not set/);
  });

  it('to files that are no small readable files are errors', async () => {
    const folder = await folderWith({ big: 'x'.repeat(64 * 1024 + 1), empty: '\n', 'folder/x': '' });
    const references = new References({}, folder);
    expect(() => references.resolve('${file:big}')).toThrow(/larger than 64 KB/);
    expect(() => references.resolve('${file:empty}')).toThrow(/empty is empty/);
    expect(() => references.resolve('${file:folder}')).toThrow(/not a file/);
    expect(() => references.resolve('${file:/dev/null}')).toThrow(/not a file/);
    writeFileSync(path.join(folder, 'locked'), 'x');
    chmodSync(path.join(folder, 'locked'), 0o000);
    if (process.getuid?.() !== 0) expect(() => references.resolve('${file:locked}')).toThrow(/EACCES/);
  });
});
