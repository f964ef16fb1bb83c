import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { Redactor } from '../../../src/core/redact.ts';
import { Secret } from '../../../src/core/secret.ts';
import { createLog } from '../../../src/telemetry/log.ts';
import type { Log, LogOptions } from '../../../src/telemetry/log.ts';

function open(options: Partial<LogOptions> = {}): { log: Log; lines: string[]; redactor: Redactor } {
  const lines: string[] = [];
  const redactor = new Redactor();
  const log = createLog({ pretty: false, redactor, destination: { write: (line) => lines.push(line) }, ...options });
  return { log, lines, redactor };
}

describe('createLog', () => {
  it('writes one JSON line per entry, with the fields of its children', () => {
    const { log, lines } = open();
    log.child({ source: 'pets' }).warn({ tools: 3 }, 'two\nlines');
    expect(lines).toHaveLength(1);
    expect(lines[0]?.endsWith('\n')).toBe(true);
    expect(JSON.parse(String(lines[0]))).toEqual({ level: 'warn', time: expect.any(Number), source: 'pets', tools: 3, msg: 'two\nlines' });
  });

  it('keeps to its level', () => {
    const { log, lines } = open({ level: 'warn' });
    log.debug({}, 'no');
    log.info({}, 'no');
    log.warn({}, 'yes');
    log.error({}, 'yes');
    expect(lines).toHaveLength(2);
  });

  it('masks known secrets wherever they are, in any spelling, also those learned later', () => {
    const { log, lines, redactor } = open();
    const secret = 'hg_"top" secret/+é';
    const child = log.child({ url: `http://x/?k=${encodeURIComponent(secret)}` });
    redactor.add(secret);
    const error = new Error(`failed with ${secret}`);
    child.error({ err: error, deep: { list: [secret] }, basic: Buffer.from(secret).toString('base64') }, `again ${secret}`);
    log.info({ key: new Secret(secret) }, 'wrapped');
    const text = lines.join('');
    expect(text).not.toMatch(/top|secret\/|dG9w/);
    expect(text.match(/\[redacted\]/g)?.length).toBeGreaterThanOrEqual(5);
    for (const line of lines) expect(() => JSON.parse(line)).not.toThrow();
  });

  it('masks credential headers by their name, at any depth', () => {
    const { log, lines } = open();
    const headers = {
      authorization: 'Bearer "quoted\\" abc',
      Cookie: 'a=abc',
      'set-cookie': ['a=abc', 'b=abc'],
      'x-api-key': 'abc',
      accept: 'text/html',
    };
    log.info({ req: { headers }, Authorization: 'abc' }, 'in');
    const entry = JSON.parse(String(lines[0])) as { req: { headers: Record<string, unknown> } };
    expect(lines[0]).not.toContain('abc');
    expect(entry.req.headers).toMatchObject({ authorization: '[redacted]', 'set-cookie': '[redacted]', accept: 'text/html' });
  });

  it('writes short lines for a person', () => {
    const { log, lines } = open({ pretty: true });
    log.info({ port: 8700, rule: { a: 1 } }, 'listening');
    log.error({ err: new Error('broken') }, 'failed');
    // oxlint-disable-next-line no-control-regex
    expect(lines[0]).toMatch(/^\d\d:\d\d:\d\d \u001B\[32minfo\u001B\[0m listening port=8700 rule=\{"a":1\}\n$/);
    expect(lines[1]).toMatch(/failed\nError: broken\n +at /);
  });
});

describe('stderr', () => {
  const code = (body: string): string => `
    import { createLog } from ${JSON.stringify(fileURLToPath(new URL('../../../src/telemetry/log.ts', import.meta.url)))};
    import { Redactor } from ${JSON.stringify(fileURLToPath(new URL('../../../src/core/redact.ts', import.meta.url)))};
    const log = createLog({ redactor: new Redactor() });
    ${body}`;
  const run = (body: string) => spawnSync(process.execPath, ['--input-type=module-typescript', '-e', code(body)], { encoding: 'utf8' });

  it('gets every line before the process ends, and stdout none', () => {
    const { stdout, stderr, status } = run('for (let i = 0; i < 1000; i++) log.info({ i }, "line"); process.exit(3)');
    expect([stdout, status]).toEqual(['', 3]);
    expect(
      stderr
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { i: number }).i),
    ).toEqual(Array.from({ length: 1_000 }, (_, i) => i));
  });

  it('gets the last lines of a crash, and does not keep the process alive', () => {
    expect(run('log.info({}, "before"); throw new Error("crash")').stderr).toMatch(/"msg":"before"/);
    expect(run('log.info({}, "quiet end")')).toMatchObject({ status: 0, stderr: expect.stringContaining('quiet end') });
  });
});
