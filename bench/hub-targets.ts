import { createHash } from 'node:crypto';
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CHAT_PATH, place, temporaryFolder, type MakeTarget, type Target } from './targets.ts';

const KEY = 'bench-key-3f1c9f0a7d';
const AUTHORIZATION = { Authorization: `Bearer ${KEY}` };
const CONSUMER = `consumers:
  - name: bench
    groups: [bench]
    keys: [{ sha256: ${createHash('sha256').update(KEY).digest('hex')} }]
`;

/** The hub with a key, an access list with a denied risk, validation of arguments and the stored record on. */
export const hubTools: MakeTarget = (port, upstream) => {
  const configuration = `services:
  pets:
    spec: pets.json
    baseUrl: ${upstream}
    access:
      - { groups: [bench], allow: ["*"], deny: [{ risk: destructive }] }
      - { groups: [guests], allow: ["list*"] }
`;
  const folder = temporaryFolder();
  copyFileSync(place('fixtures/openapi.json'), join(folder, 'pets.json'));
  return { ...hub(folder, configuration, port), path: '/mcp/pets' };
};

/** The hub with a key, routes to a model in OpenAI's format and to one in Anthropic's, accounting and the stored record on. */
export const hubModels: MakeTarget = (port, upstream) => {
  const configuration = `providers:
  up: { type: openai-compatible, baseUrl: "${upstream}/v1", apiKey: "\${env:BENCH_UPSTREAM_KEY}" }
  anthropic: { type: anthropic, baseUrl: "${upstream}", apiKey: "\${env:BENCH_UPSTREAM_KEY}" }
models:
  - match: { model: "mock-*" }
    targets: [{ provider: up }]
  - match: { model: "claude-*" }
    targets: [{ provider: anthropic }]
`;
  return {
    ...hub(temporaryFolder(), configuration, port),
    env: { BENCH_UPSTREAM_KEY: 'upstream-key' },
    path: CHAT_PATH,
    converted: { model: 'claude-mock', headers: AUTHORIZATION },
  };
};

/** The hub over a configuration in the folder. */
function hub(folder: string, configuration: string, port: number): Omit<Target, 'path'> {
  writeFileSync(join(folder, 'hubgate.yaml'), configuration + CONSUMER);
  const at = ['--config', join(folder, 'hubgate.yaml'), '--data', join(folder, 'data')];
  const on = ['--host', '127.0.0.1', '--port', String(port), '--admin-port', '0'];
  return {
    command: [process.execPath, place('../src/main.ts'), 'serve', ...at, ...on],
    env: {},
    headers: AUTHORIZATION,
    readyPath: '/readyz',
  };
}
