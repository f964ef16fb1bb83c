import { createHash } from 'node:crypto';
import { startHub, type Hub } from '../../support/start-hub.ts';
import type { Canaries } from './canaries.ts';
import { MODES } from './reflecting-upstream.ts';

const POLICY_MODULE = new URL('../../../src/policy.ts', import.meta.url).href;

/** Upstreams here fail on purpose, again and again: every call is to reach them all the same. */
const BREAKER = 'breaker: { failures: 1000, minimum: 1000 }';

export interface Planted {
  readonly hub: Hub;
  readonly aliceKey: string;
  /** Services of files, all of one document. */
  readonly services: readonly string[];
  /** `hubgate.yaml`, for edits. */
  readonly config: string;
  /** Environment of the hub, for commands beside it. */
  readonly env: Readonly<Record<string, string>>;
  /** Files below the hub's folder in which the test itself wrote secrets. */
  readonly written: ReadonlySet<string>;
}

interface Surroundings {
  readonly upstream: string;
  readonly port: number;
  readonly closedPort: number;
  readonly preloads: readonly string[];
}

/** Starts a hub with a canary in every place of its files and its environment that takes a secret. */
export async function startPlantedHub(canaries: Canaries, { upstream, port, closedPort, preloads }: Surroundings): Promise<Planted> {
  const aliceKey = canaries.makeToken('consumer key');
  const env = {
    BEARER: canaries.make('bearer'),
    PASSWORD: canaries.make('basic password'),
    QUERY: canaries.make('query'),
    SCHEME_HEADER: canaries.make('apiKey header'),
    SCHEME_QUERY: canaries.make('apiKey query'),
    SCHEME_COOKIE: canaries.make('apiKey cookie'),
    SCHEME_PASSWORD: canaries.make('scheme password'),
    CLIENT_SECRET: canaries.make('client secret'),
    SCHEME_CLIENT: canaries.make('scheme client secret'),
    MODELS_KEY: canaries.makeToken('models key'),
    MODELS_HEADER: canaries.make('models header'),
    POLICY_KEY: canaries.make('policy option'),
    CONDITION: canaries.make('condition', { tail: '/+' }),
    FIXED: canaries.makeToken('fixed argument'),
    HUBGATE_ADMIN_TOKEN: canaries.makeToken('admin token'),
    HUBGATE_SECRET_KEY: canaries.makeHexKey('secret key'),
    NODE_OPTIONS: preloads.map((file) => `--import=${file}`).join(' '),
  };
  const literal = JSON.stringify(canaries.make('literal'));
  const config = `
allowLiteralSecrets: true
egress: { allow: ["127.0.0.1:${port}"] }
extensions: [./noisy.ts]
policies:
  - access-log: { level: debug }
  - noisy: { key: "\${env:POLICY_KEY}", deep: { list: ["\${env:POLICY_KEY}"] } }
consumers:
  - { name: alice, groups: [staff], keys: [{ sha256: "${createHash('sha256').update(aliceKey).digest('hex')}" }] }
services:
  bearer: { spec: openapi-specs/probe.json, baseUrl: "${upstream}", ${BREAKER}, auth: { bearer: "\${env:BEARER}" } }
  basic: { spec: openapi-specs/probe.json, baseUrl: "${upstream}", ${BREAKER}, auth: { basic: { username: hub, password: "\${env:PASSWORD}" } } }
  header: { spec: openapi-specs/probe.json, baseUrl: "${upstream}", ${BREAKER}, outputSchemas: true, auth: { header: { X-Probe-Key: "\${file:secrets/header}" } } }
  query: { spec: openapi-specs/probe.json, baseUrl: "${upstream}", ${BREAKER}, auth: { query: { key: "\${env:QUERY}" } } }
  oauth: { spec: openapi-specs/probe.json, baseUrl: "${upstream}", ${BREAKER}, auth: { oauth2: { clientId: hub, clientSecret: "\${env:CLIENT_SECRET}", tokenUrl: "${upstream}/token" } } }
  literal: { spec: openapi-specs/probe.json, baseUrl: "${upstream}", ${BREAKER}, auth: { bearer: ${literal} } }
  schemes:
    spec: openapi-specs/schemes.json
    baseUrl: "${upstream}"
    ${BREAKER}
    auth:
      schemes:
        inHeader: "\${env:SCHEME_HEADER}"
        inQuery: "\${env:SCHEME_QUERY}"
        inCookie: "\${env:SCHEME_COOKIE}"
        inBasic: { username: hub, password: "\${env:SCHEME_PASSWORD}" }
        inOauth: { clientId: hub, clientSecret: "\${env:SCHEME_CLIENT}" }
  userinfo: { spec: openapi-specs/userinfo.json, ${BREAKER}, auth: { bearer: "\${env:BEARER}" } }
  down: { spec: openapi-specs/probe.json, baseUrl: "http://127.0.0.1:${closedPort}", ${BREAKER}, auth: { query: { key: "\${env:QUERY}" } } }
  tls: { spec: openapi-specs/probe.json, baseUrl: "https://127.0.0.1:${port}", ${BREAKER}, auth: { bearer: "\${env:BEARER}" } }
  unfetched: { spec: "http://127.0.0.1:${closedPort}/document", auth: { bearer: "\${env:BEARER}" } }
${modelsConfig(upstream, closedPort)}`;
  const withPassword = upstream.replace('http://', `http://hub:${canaries.make('userinfo', { head: 'cnry-', tail: '' })}@`);
  const files = {
    'hubgate.yaml': config,
    'secrets/header': `${canaries.make('file value')}\n`,
    'openapi-specs/probe.json': JSON.stringify(probeDocument()),
    'openapi-specs/schemes.json': JSON.stringify(schemesDocument(upstream)),
    'openapi-specs/userinfo.json': JSON.stringify(probeDocument([{ url: withPassword }])),
    'virtual-servers/desk.yaml': `
tools: [{ from: bearer }]
overrides:
  bearer.probe: { arguments: { note: { value: "\${env:FIXED}" } } }
access: [{ groups: [staff], allow: [{ tool: probe, when: 'args.mode != "\${env:CONDITION}" && args.mode != "refused"' }] }]
policies: [{ noisy: { key: "\${env:POLICY_KEY}" } }]
`,
    'noisy.ts': NOISY,
  };
  const hub = await startHub({ files, env });
  const services = ['bearer', 'basic', 'header', 'query', 'oauth', 'literal', 'schemes', 'userinfo', 'down', 'tls'];
  return { hub, aliceKey, services, config, env, written: new Set(['hubgate.yaml', 'secrets/header', 'openapi-specs/userinfo.json']) };
}

/** A provider for each thing that a vendor may do with what it got, in the caller's format and in another. */
function modelsConfig(upstream: string, closedPort: number): string {
  const modes = [
    ...MODES.map((mode) => [mode, `${upstream}/probe/${mode}`] as const),
    ['down-0', `http://127.0.0.1:${closedPort}`] as const,
  ];
  const secrets = 'apiKey: "${env:MODELS_KEY}", headers: { X-Probe-Key: "${env:MODELS_HEADER}" }';
  const types = { pass: 'openai-compatible', convert: 'anthropic' };
  const each = (line: (name: string, type: string, url: string) => string): string =>
    Object.entries(types)
      .flatMap(([word, type]) => modes.map(([mode, url]) => line(`${word}-${mode}`, type, url)))
      .join('\n');
  return `providers:
${each((name, type, url) => `  ${name}: { type: ${type}, baseUrl: "${url}", ${secrets} }`)}
models:
${each((name) => `  - { match: { model: "${name}" }, targets: [{ provider: ${name} }] }`)}
`;
}

/** A policy whose every failure tells its options. */
const NOISY = `
import { definePolicy, GatewayError } from ${JSON.stringify(POLICY_MODULE)};
export default definePolicy({
  name: 'noisy',
  stage: 'transform',
  options: { type: 'object', properties: { key: { type: 'string' }, fail: { enum: ['plain', 'told'] }, deep: {} }, additionalProperties: false },
  create(options, host) {
    if (options.fail === 'plain') throw new Error('cannot use ' + JSON.stringify(options));
    if (options.fail === 'told') throw new GatewayError('bad_request', 'cannot use ' + options.key);
    return {
      onCall(call) {
        const note = call.lane === 'tools' ? call.input.arguments.note : undefined;
        if (note === 'throw') throw new Error('failed with ' + options.key, { cause: options });
        if (note === 'told') throw new GatewayError('bad_request', 'refused with ' + options.key);
        if (note === 'crash') setTimeout(() => { throw new Error('crashed with ' + options.key); }, 100);
        host.log.debug({ options, argv: process.argv }, 'options are ' + JSON.stringify(options));
      },
    };
  },
});
`;

export function probeDocument(servers: readonly object[] = []): object {
  const answer = {
    200: { description: 'ok', content: { 'application/json': { schema: { type: 'object', additionalProperties: true } } } },
  };
  const mode = { name: 'mode', in: 'path', required: true, schema: { type: 'string' } };
  const note = { name: 'note', in: 'query', schema: { type: 'string' } };
  const body = { content: { 'application/json': { schema: { type: 'object', properties: { text: { type: 'string' } } } } } };
  return {
    openapi: '3.1.0',
    info: { title: 'Probe', version: '1' },
    ...(servers.length > 0 && { servers }),
    paths: {
      '/probe/{mode}': { parameters: [mode, note], get: { operationId: 'probe', responses: answer } },
      '/send/{mode}': { parameters: [mode], post: { operationId: 'send', requestBody: body, responses: answer } },
    },
  };
}

function schemesDocument(upstream: string): object {
  const document = probeDocument() as { paths: Record<string, { get?: object; post?: object }> };
  Object.assign(document.paths['/probe/{mode}']?.get ?? {}, { security: [{ inHeader: [], inQuery: [], inCookie: [] }] });
  Object.assign(document.paths['/send/{mode}']?.post ?? {}, { security: [{ inBasic: [] }] });
  const operation = { parameters: [{ name: 'mode', in: 'path', required: true, schema: { type: 'string' } }], responses: {} };
  document.paths['/token-probe/{mode}'] = { get: { operationId: 'tokenProbe', security: [{ inOauth: [] }], ...operation } };
  const securitySchemes = {
    inHeader: { type: 'apiKey', in: 'header', name: 'X-Probe-Key' },
    inQuery: { type: 'apiKey', in: 'query', name: 'probe_key' },
    inCookie: { type: 'apiKey', in: 'cookie', name: 'probe' },
    inBasic: { type: 'http', scheme: 'basic' },
    inOauth: { type: 'oauth2', flows: { clientCredentials: { tokenUrl: `${upstream}/token`, scopes: {} } } },
  };
  return { ...document, components: { securitySchemes } };
}
