import { createHash } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { post } from '../../support/mcp-clients.ts';
import { type Hub, startHub } from '../../support/start-hub.ts';

const KEY = 'hg_test_key_of_the_listeners_story';
const CONSUMERS = `consumers:\n  - { name: alice, keys: [{ sha256: "${createHash('sha256').update(KEY).digest('hex')}" }] }\n`;
const LONG = 'a-token-that-nobody-guesses-0123456789';
const INITIALIZE = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } },
};

let hub: Hub | undefined;
afterEach(async () => {
  await hub?.stop();
  hub = undefined;
});

interface Way {
  readonly args?: readonly string[];
  readonly env?: Record<string, string>;
}

/** What the hub printed when it refused to start; it must have ended with 1. */
async function refusal(config: string, way: Way): Promise<string> {
  const started = await startHub({ files: { 'hubgate.yaml': config }, ...way }).catch((error: Error) => error.message);
  if (typeof started !== 'string') {
    await started.stop();
    return 'It started.';
  }
  expect(started).toContain('ended with code 1 before it was ready');
  return started;
}

describe('the public listener', () => {
  it.each<Way>([
    { args: ['--host', '0.0.0.0'] },
    { args: ['--host', '::'] },
    { args: ['--host', ''] },
    { args: ['--host', '127.0.0.1.example.com'] },
    { env: { HUBGATE_HOST: '0.0.0.0' } },
  ])('without consumers refuses %o and says what to do', async (way) => {
    expect(await refusal('{}\n', way)).toMatch(
      /hubgate\.yaml:1:1 Without a consumer .* loopback only.* Add a consumer with a key, or use --host 127\.0\.0\.1\./,
    );
  });

  it('with a consumer takes it, and stays closed when the consumers are taken away', async () => {
    hub = await startHub({ files: { 'hubgate.yaml': CONSUMERS }, args: ['--host', '0.0.0.0'] });
    const ask = (headers: Record<string, string>) => post(`${hub?.url}/mcp`, INITIALIZE, headers);
    expect((await ask({})).status).toBe(401);
    await hub.write('hubgate.yaml', '{}\n');
    await expect.poll(() => hub?.stderr(), { timeout: 5_000 }).toContain('Without a consumer the hub is open to everybody');
    expect((await ask({})).status).toBe(401);
    expect((await ask({ authorization: `Bearer ${KEY}` })).status).toBe(200);
  });
});

describe('the admin listener', () => {
  it.each<Way>([
    { args: ['--admin-host', '0.0.0.0'] },
    { args: ['--admin-host', '127.0.0.1.example.com'] },
    { args: ['--admin-host', '0.0.0.0'], env: { HUBGATE_ADMIN_TOKEN: LONG.slice(0, 31) } },
    { env: { HUBGATE_ADMIN_HOST: '::', HUBGATE_ADMIN_TOKEN: 'short' } },
  ])('refuses %o and says which token it wants', async (way) => {
    const said = await refusal(CONSUMERS, way);
    expect(said).toMatch(/admin listener leaves loopback .* only with HUBGATE_ADMIN_TOKEN of 32 characters or more/);
    if (way.env?.HUBGATE_ADMIN_TOKEN !== undefined) expect(said).not.toContain(way.env.HUBGATE_ADMIN_TOKEN);
  });

  it('leaves loopback with a long token that was given, and wants it', async () => {
    hub = await startHub({ files: { 'hubgate.yaml': CONSUMERS }, args: ['--admin-host', '0.0.0.0'], env: { HUBGATE_ADMIN_TOKEN: LONG } });
    const status = async (headers: Record<string, string>): Promise<number> =>
      (await fetch(`${hub?.adminUrl}/admin/v1/status`, { headers })).status;
    expect([await status({}), await status({ authorization: `Bearer ${LONG}` })]).toEqual([401, 200]);
  });
});
