import { describe, expect, it } from 'vitest';
import { drive } from './drive.ts';

describe('secrets', { timeout: 60_000 }, () => {
  it('are in nothing that the hub says or writes', async () => {
    const { leaks, looked, used } = await drive({ blind: false });
    expect(leaks).toEqual([]);
    // What was never sent could not have been told.
    for (const name of [
      'bearer',
      'basic password',
      'file value',
      'query',
      'literal',
      'apiKey header',
      'apiKey query',
      'apiKey cookie',
      'scheme password',
      'access token',
      'fixed argument',
      'models key',
      'models header',
      'stored bearer',
      'stored header',
      'stored password',
    ]) {
      expect([name, used.has(name)]).toEqual([name, true]);
    }
    for (const kind of ['call', 'chat', 'list', 'admin', 'file', 'command', 'cmdline', 'stdout', 'stderr'])
      expect([kind, (looked.get(kind) ?? 0) > 0]).toEqual([kind, true]);
    // No consumer's key travels on.
    expect(used.has('consumer key') || used.has('made key')).toBe(false);
  });

  it('are found by these checks in a hub that masks nothing', async () => {
    const { leaks } = await drive({ blind: true });
    const found = (kind: string): Set<string> => new Set(leaks.filter(({ where }) => where.startsWith(kind)).map(({ canary }) => canary));
    const sent = [
      'bearer',
      'basic password',
      'file value',
      'query',
      'literal',
      'apiKey header',
      'apiKey query',
      'apiKey cookie',
      'scheme password',
      'access token',
      'stored bearer',
      'stored header',
      'stored password',
    ];
    expect([...found('call')]).toEqual(expect.arrayContaining(sent));
    expect([...found('chat')]).toEqual(expect.arrayContaining(['models key', 'models header']));
    expect([...found('stderr')]).toEqual(expect.arrayContaining(['policy option']));
  });
});
