import { createHash } from 'node:crypto';
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CHAT_PATH, place, temporaryFolder, type MakeTarget, type Target } from './targets.ts';

const KEY = 'bench-key-3f1c9f0a7d';
const AUTHORIZATION = { Authorization: `Bearer ${KEY}` };
const CONSUMER = { name: 'bench', groups: ['bench'], keys: [{ sha256: createHash('sha256').update(KEY).digest('hex') }] };
/** More than any run can use, so that each call is counted and none is refused. */
const LIMITS = { requests: '100M/min', tokens: '100000M/min' };
const BUDGET = { usd: '1000000/month' };

/** The hub with a key, an access list with a denied risk, validation of arguments and the stored record on. */
export const hubTools: MakeTarget = (port, upstream) => {
  const folder = temporaryFolder();
  copyFileSync(place('fixtures/openapi.json'), join(folder, 'pets.json'));
  const access = [
    { groups: ['bench'], allow: ['*'], deny: [{ risk: 'destructive' }] },
    { groups: ['guests'], allow: ['list*'] },
  ];
  const services = { pets: { spec: 'pets.json', baseUrl: upstream, access } };
  return { ...hub(folder, { services, consumers: [CONSUMER] }, port), path: '/mcp/pets' };
};

/**
 * The hub with a key, limits, a budget, a route over two targets in OpenAI's format and one to Anthropic's, accounting and the stored
 * record on. `times`: as many times the routes, the consumers, each with limits and a budget, and the limits that stand on routes.
 * The routes that answer come last.
 */
export const hubModels =
  (times: number): MakeTarget =>
  (port, upstream) => {
    const apiKey = '${env:BENCH_UPSTREAM_KEY}';
    const openai = { type: 'openai-compatible', baseUrl: `${upstream}/v1`, apiKey };
    const others = Array.from({ length: times - 1 }, (_, index) => index + 1);
    const policies = [{ 'rate-limit': { by: 'route', requests: LIMITS.requests } }];
    const configuration = {
      providers: { up: openai, second: openai, anthropic: { type: 'anthropic', baseUrl: upstream, apiKey } },
      models: [
        ...others.map((n) => ({ match: { model: `other-${n}-*` }, targets: [{ provider: 'up' }], policies })),
        ...others.map((n) => ({ name: `alias-${n}`, targets: [{ provider: 'up', model: `mock-${n}` }], policies })),
        {
          match: { model: 'mock-*' },
          targets: [
            { provider: 'up', weight: 90 },
            { provider: 'second', weight: 10 },
          ],
          policies,
        },
        { match: { model: 'claude-*' }, targets: [{ provider: 'anthropic' }], policies },
      ],
      prices: [{ model: '*mock*', input: 1, output: 4 }],
      consumers: [
        ...others.map((n) => ({ name: `other-${n}`, keys: [{ sha256: createHash('sha256').update(`${KEY}-${n}`).digest('hex') }] })),
        CONSUMER,
      ].map((consumer) => ({ ...consumer, limits: LIMITS, budget: BUDGET })),
    };
    return {
      ...hub(temporaryFolder(), configuration, port),
      env: { BENCH_UPSTREAM_KEY: 'upstream-key' },
      path: CHAT_PATH,
      converted: { model: 'claude-mock', headers: AUTHORIZATION },
    };
  };

/** The hub with a key, an access list and the stored record on, before one agent. */
export const hubAgents: MakeTarget = (port, upstream) => {
  const agents = { mock: { card: upstream, access: [{ groups: ['bench'], allow: ['*'] }] } };
  return { ...hub(temporaryFolder(), { agents, consumers: [CONSUMER] }, port), path: '/a2a/mock' };
};

/** The hub over a configuration in the folder. */
function hub(folder: string, configuration: object, port: number): Omit<Target, 'path'> {
  // JSON is YAML.
  writeFileSync(join(folder, 'hubgate.yaml'), JSON.stringify(configuration));
  const at = ['--config', join(folder, 'hubgate.yaml'), '--data', join(folder, 'data')];
  const on = ['--host', '127.0.0.1', '--port', String(port), '--admin-port', '0'];
  return {
    command: [process.execPath, place('../src/main.ts'), 'serve', ...at, ...on],
    env: {},
    headers: AUTHORIZATION,
    readyPath: '/readyz',
  };
}
