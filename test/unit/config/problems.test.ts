import { describe, expect, it } from 'vitest';
import { definePolicy } from '../../../src/core/contracts/policy.ts';
import { defineToolSource } from '../../../src/core/contracts/tool-source.ts';
import openai from '../../../src/lanes/models/providers/openai.ts';
import weight from '../../../src/upstreams/balancers/weight.ts';
import { errorsOf, load, PETSTORE } from './folder.ts';

const HASH = 'b'.repeat(64);
const accessLog = definePolicy({
  name: 'access-log',
  stage: 'observe',
  options: { type: 'object', properties: { level: { enum: ['info', 'debug'] } }, additionalProperties: false },
  create: () => ({}),
});
const wiki = defineToolSource({
  name: 'wiki',
  options: { type: 'object', required: ['root'] },
  create: () => Promise.reject(new Error('unused')),
});
const builtins = [accessLog, wiki, weight, openai];

/** What hubgate.yaml says, where the error is, and what its message must tell. */
const BAD: readonly (readonly [name: string, text: string, place: string, message: RegExp])[] = [
  ['an unknown key', 'services:\n  a:\n    urll: https://x.example/\n', '3:5 unknown-key', /Did you mean "url"\?/],
  [
    'a key in the wrong case',
    'services: { a: { url: "https://x.example/", BaseUrl: "https://x.example" } }',
    '1:45 unknown-key',
    /Did you mean "baseUrl"\?/,
  ],
  ['an unknown root key', 'metrics: {}\nvirtualServers: {}\n', '2:1 unknown-key', /Known here: services, servers/],
  ['a bad name', 'services:\n  Pet_Store: { url: "https://x.example/" }\n', '2:3 bad-name', /lower-case letter/],
  ['a missing key', 'consumers:\n  - groups: [a]\n', '2:5 missing-key', /"name" is missing/],
  ['a text for a list', 'allowedHosts: hub.example\n', '1:1 wrong-type', /must be a list, and is text\. Put it in brackets/],
  ['a number for a text', 'extensions:\n  - 3\n', '2:5 wrong-type', /must be text, and is a number\. Put it in quotes/],
  ['a list for an object', 'services: []\n', '1:1 wrong-type', /must be an object, and is a list/],
  ['an empty section', 'services:\n', '1:1 wrong-type', /must be an object, and is empty/],
  ['a root that is a list', '- a\n', '1:1 wrong-type', /must be an object/],
  ['a bad duration', 'services: { a: { url: "https://x.example/", timeout: 5 sec } }', '1:45 bad-value', /number with a unit/],
  ['a duration that no timer takes', 'services: { a: { url: "https://x.example/", timeout: 25d } }', '1:45 bad-value', /at most 24d/],
  ['a bad rate', 'consumers:\n  - name: a\n    limits: { requests: 600 per minute }\n', '3:15 bad-value', /600\/min/],
  [
    'a bad word',
    'services:\n  a: { url: "https://x.example/", access: [{ allow: [{ risk: wirte }] }] }\n',
    '2:56 bad-value',
    /read, write, destructive\. Did you mean "write"/,
  ],
  ['a URL with a password', 'publicUrl: https://user:canary@hub.example\n', '1:1 bad-value', /without user and password/],
  ['a bad origin', 'allowedOrigins: ["https://app.example/"]', '1:18 bad-value', /scheme, host and port/],
  ['a bad egress rule', 'egress: { allow: ["10.0.0.0/33"] }', '1:19 bad-value', /CIDR/],
  ['a short hash', 'consumers: [{ name: a, keys: [{ sha256: abc }] }]', '1:33 bad-value', /64 lower-case hex digits/],
  ['a bad time', 'consumers: [{ name: a, keys: [{ sha256: "' + HASH + '", expires: tomorrow }] }]', '1:109 bad-value', /2027-01-31/],
  [
    'two ways of auth',
    'services:\n  a:\n    url: https://x.example/\n    auth: { bearer: "${env:T}", query: { k: "${env:T}" } }\n',
    '4:5 too-many-keys',
    /exactly one of: bearer/,
  ],
  ['no way of auth', 'services: { a: { url: "https://x.example/", auth: {} } }', '1:45 missing-key', /exactly one of: bearer/],
  [
    'an unknown way of auth',
    'services: { a: { url: "https://x.example/", auth: { berer: "${env:T}" } } }',
    '1:53 unknown-key',
    /Did you mean "bearer"/,
  ],
  [
    'half a login',
    'services: { a: { url: "https://x.example/", auth: { schemes: { s: { username: u, scopes: [s], clientId: c, clientSecret: "${env:T}" } } } } }',
    '1:64 missing-key',
    /"password" is needed/,
  ],
  [
    'a literal secret',
    'services:\n  a:\n    url: https://x.example/\n    auth:\n      bearer: canary\n',
    '5:7 literal-secret',
    /\$\{env:NAME\}.*allowLiteralSecrets/,
  ],
  [
    'a literal credential in a header',
    'servers:\n  a:\n    url: https://x.example/\n    headers:\n      X-Api-Key: canary\n',
    '5:7 literal-secret',
    /reference/,
  ],
  [
    'a variable that is not set',
    'services: { a: { url: "https://x.example/", auth: { bearer: "${env:NOPE}" } } }',
    '1:53 reference',
    /variable NOPE is not set/,
  ],
  ['a variable that is empty', 'publicUrl: ${env:EMPTY}', '1:1 reference', /EMPTY is empty/],
  ['a file that is not there', 'publicUrl: ${file:nope.txt}', '1:1 reference', /nope\.txt is not there/],
  ['a vault', 'services: { a: { url: "https://x.example/", auth: { bearer: "${vault:x}" } } }', '1:53 reference', /not built yet/],
  ['a KMS', 'publicUrl: "${aws-kms:x}"', '1:1 reference', /not built yet/],
  ['an unknown reference', 'publicUrl: "${evn:X}"', '1:1 reference', /Did you mean \$\{env:…\}/],
  ['a reference without quotes in braces', 'services:\n  a: { auth: { bearer: ${env:T} } }\n', '2:25 yaml', /needs quotes/],
  ['a duplicate key', 'services: {}\nservers: {}\nservices: {}\n', '3:1 yaml', /twice/],
  ['several documents', 'services: {}\n---\nservers: {}\n', '2:1 yaml', /several documents/],
  ['a tab', 'services:\n\ta: {}\n', '2:1 yaml', /Use spaces/],
  ['an open quote', 'publicUrl: "https://canary\n', '2:1 yaml', /not closed/],
  ['an open bracket', 'extensions: [canary\nservers: {}\n', '2:1 yaml', /bracket or brace .* not closed/],
  ['text behind a quote', "publicUrl: 'it's canary'\n", '1:16 yaml', /behind its closing quote/],
  ['no space after a colon', 'services: {}\npublicUrl:https://canary\n', '2:1 yaml', /":" with a space behind it is missing/],
  ['no space after the first colon', 'publicUrl:https://canary\nservices: {}\n', '1:1 yaml', /":" with a space behind it is missing/],
  ['a line indented too much', 'publicUrl: canary\n  services: {}\n', '1:12 yaml', /next line is indented deeper/],
  ['a line indented too little', 'services:\n  a:\n    url: canary\n   spec: x\n', '4:1 yaml', /indentation does not fit/],
  ['a first line indented', ' services: {}\nservers: {}\n', '2:1 yaml', /indentation does not fit/],
  ['an alias of nothing', 'publicUrl: *canary\n', '1:1 yaml', /quotes if it starts with "\*"/],
  ['a tag', 'publicUrl: !canary x\n', '1:12 yaml', /quotes if it starts with "!"/],
  ['two colons', 'publicUrl: canary: x\n', '1:12 yaml', /second ": "/],
  ['a document in the file', 'services: { a: { document: {} } }', '1:18 bad-value', /openapi-specs/],
  ['spec and url', 'services: { a: { url: "https://x.example/", spec: x.yaml } }', '1:13 too-many-keys', /spec and url/],
  ['a server of no kind', 'servers: { a: {} }', '1:12 missing-key', /exactly one of: command, url, source/],
  [
    'a server of two kinds',
    'servers: { a: { command: x, source: wiki, options: { root: / } } }',
    '1:12 too-many-keys',
    /command and source/,
  ],
  ['an agent that is nowhere', 'agents:\n  a: { publicCard: true }\n', '2:3 missing-key', /exactly one of: card, targets, rest/],
  [
    'an agent in two places',
    'agents: { a: { card: "https://x.example", targets: [{ card: "https://y.example" }] } }',
    '1:11 too-many-keys',
    /card and targets stand side by side/,
  ],
  [
    'an instance of an agent twice',
    'agents:\n  a:\n    targets:\n      - { card: "https://x.example" }\n      - { card: "https://x.example", weight: 2 }\n',
    '5:11 name-clash',
    /this address already/,
  ],
  ['an instance of an agent without address', 'agents: { a: { targets: [{ weight: 1 }] } }', '1:26 missing-key', /"card" is missing/],
  [
    'a bad condition of an instance',
    'agents:\n  a:\n    targets:\n      - { card: "https://x.example", when: "user == 1" }\n',
    '4:38 condition',
    /user/,
  ],
  [
    'an unknown balancer of an agent',
    'agents:\n  a: { card: demo:echo, balance: wieght }\n',
    '2:25 unknown-extension',
    /Did you mean "weight"/,
  ],
  [
    'an unknown policy of an agent',
    'agents: { a: { card: demo:echo, policies: [{ acces-log: {} }] } }',
    '1:46 unknown-extension',
    /Did you mean "access-log"/,
  ],
  ['an unknown policy', 'policies:\n  - acces-log: {}\n', '2:5 unknown-extension', /Did you mean "access-log"/],
  ['a policy with a key misspelt', 'policies: [{ access-log: {}, lane: [tools] }]', '1:30 unknown-key', /Did you mean "lanes"/],
  ['no policy', 'policies: [{ lanes: [tools] }]', '1:12 bad-value', /exactly one policy.*lanes/],
  ['a policy of another lane', 'policies: [{ access-log: {}, lanes: [tool] }]', '1:38 bad-value', /Did you mean "tools"/],
  ['a bad option of a policy', 'policies:\n  - access-log: { level: inof }\n', '2:19 bad-value', /Did you mean "info"/],
  [
    'an unknown option of a policy',
    'services: { a: { url: "https://x.example/", policies: [{ access-log: { levle: info } }] } }',
    '1:72 unknown-key',
    /Did you mean "level"/,
  ],
  [
    'an unknown option of a policy of an API',
    'apis: { a: { policies: [{ access-log: { levle: info } }] } }',
    '1:41 unknown-key',
    /Did you mean "level"/,
  ],
  [
    'a bad option of a policy of a route of an API',
    'apis:\n  a:\n    models:\n      - name: m\n        targets: [{ provider: p }]\n        policies:\n          - access-log: { level: inof }\n',
    '7:27 bad-value',
    /Did you mean "info"/,
  ],
  ['a provider without its key', 'providers:\n  a: { type: openai }\n', '2:3 missing-key', /"apiKey" is missing/],
  [
    'an unknown balancer',
    'models: [{ name: m, targets: [{ provider: p }], balance: wieght }]',
    '1:49 unknown-extension',
    /Did you mean "weight"/,
  ],
  [
    'an unknown option of a balancer',
    'apis:\n  a:\n    models:\n      - name: m\n        targets: [{ provider: p }]\n        balance: { weight: { fast: true } }\n',
    '6:30 unknown-key',
    /"fast"/,
  ],
  ['an unknown source extension', 'servers: { a: { source: wikki } }', '1:17 unknown-extension', /Did you mean "wiki"/],
  ['a missing option of a source', 'servers: { a: { source: wiki, options: {} } }', '1:31 missing-key', /"root" is missing/],
  [
    'two names alike',
    'services:\n  a: { url: "https://x.example/" }\nservers:\n  a: { source: wiki, options: { root: / } }\n',
    '4:3 name-clash',
    /services in hubgate.yaml and by servers in hubgate.yaml/,
  ],
  ['the admin API for everybody', 'services:\n  self: { baseUrl: hub:admin }\n', '2:3 missing-key', /Add access:.*consumers: \[admin\]/],
  ['the same by a reference', 'services:\n  self: { baseUrl: "${env:ADMIN}" }\n', '2:3 missing-key', /Add access:/],
  ['a consumer named like nobody', 'consumers:\n  - name: anonymous\n', '2:5 bad-value', /"anonymous" is who calls/],
  ['two consumers alike', 'consumers:\n  - name: a\n  - name: a\n', '3:5 name-clash', /already/],
  [
    'two keys alike',
    `consumers:\n  - { name: a, keys: [{ sha256: ${HASH} }] }\n  - { name: b, keys: [{ sha256: ${HASH} }] }\n`,
    '3:25 key-clash',
    /already/,
  ],
  [
    'a bad condition',
    'services:\n  a:\n    url: https://x.example/\n    access:\n      - allow: [{ tool: x, when: "args.a = 1" }]\n',
    '5:28 condition',
    /CEL/,
  ],
  [
    'an unknown variable in a condition',
    'services: { a: { url: "https://x.example/", access: [{ when: "user == 1" }] } }',
    '1:56 condition',
    /user/,
  ],
  ['a missing extension', 'extensions:\n  - ./nope.ts\n', '2:5 extension-missing', /nothing at \.\/nope\.ts/],
];

describe('bad input has one error with its place and the fix:', () => {
  it.each(BAD)('%s', async (_name, text, place, message) => {
    const loaded = await load(text, { env: { T: 'token-value', EMPTY: '', ADMIN: 'hub:admin' }, builtins });
    expect(errorsOf(loaded)).toEqual([`hubgate.yaml:${place}`]);
    const problem = loaded.problems.find(({ severity }) => severity === 'error');
    expect(problem?.message).toMatch(message);
    expect(loaded.ok).toBe(false);
    expect(loaded.config).toBeUndefined();
    expect(JSON.stringify(loaded.problems)).not.toMatch(/canary|token-value/);
  });

  it('reports many at once, in the order of the lines', async () => {
    const loaded = await load('servces: {}\nmetrics: { opn: true }\npublicUrl: nowhere\n');
    expect(errorsOf(loaded)).toEqual(['hubgate.yaml:1:1 unknown-key', 'hubgate.yaml:2:12 unknown-key', 'hubgate.yaml:3:1 bad-value']);
  });

  it('tells a misspelt key once, not as unknown and as missing', async () => {
    const loaded = await load({ 'hubgate.yaml': '{}', 'virtual-servers/v.yaml': 'tools:\n  - form: petstore\n' });
    expect(errorsOf(loaded)).toEqual(['virtual-servers/v.yaml:2:5 unknown-key']);
  });

  it('takes several keys of a provider in place of one', async () => {
    const loaded = await load('providers: { a: { type: openai, keys: [{ key: "${env:T}" }] } }', { env: { T: 'token-value' }, builtins });
    expect(loaded.problems).toEqual([]);
  });

  it('takes literal secrets when told to', async () => {
    const loaded = await load('allowLiteralSecrets: true\nservices: { a: { url: "https://x.example/", auth: { bearer: literal-token } } }');
    expect(loaded.problems).toEqual([]);
    expect(loaded.secrets).toEqual(['literal-token']);
  });
});

describe('virtual servers', () => {
  const files = (server: string, root = '{}') => ({
    'hubgate.yaml': root,
    'openapi-specs/petstore.yaml': PETSTORE,
    'virtual-servers/v.yaml': server,
  });
  const CASES: readonly (readonly [string, Readonly<Record<string, string>>, readonly string[], RegExp])[] = [
    [
      'a from that names no source',
      files('tools:\n  - from: petsotre\n'),
      ['virtual-servers/v.yaml:2:5 unknown-source'],
      /Did you mean "petstore"/,
    ],
    ['a from that names a virtual server', files('tools: [{ from: v }]'), ['virtual-servers/v.yaml:1:11 unknown-source'], /virtual server/],
    [
      'resources of no source',
      files('tools: []\nresources: [{ from: x }]'),
      ['virtual-servers/v.yaml:2:15 unknown-source'],
      /Sources: petstore/,
    ],
    ['no tools', files('description: x\n'), ['virtual-servers/v.yaml:1:1 missing-key'], /"tools" is missing/],
    ['an empty file', files(''), ['virtual-servers/v.yaml:1:1 empty'], /virtual-servers\/v\.yaml is empty/],
    [
      'an override of a source that it has not',
      files('tools: [{ from: petstore }]\noverrides:\n  pestore.a: {}\n'),
      ['virtual-servers/v.yaml:3:3 unknown-source'],
      /Did you mean "petstore"/,
    ],
    [
      'a misspelt from, without a word about overrides of the source that it means',
      files('tools: [{ from: petsotre }]\noverrides:\n  petstore.a: {}\n'),
      ['virtual-servers/v.yaml:1:11 unknown-source'],
      /Did you mean "petstore"/,
    ],
    [
      'an override of a source that is there and not selected',
      files('tools: []\noverrides:\n  petstore.a: {}\n'),
      ['virtual-servers/v.yaml:3:3 unknown-source'],
      /No tools are taken from "petstore"\. Sources here: none\./,
    ],
    [
      'a misspelt from and an override of no source',
      files('tools: [{ from: petsotre }]\noverrides:\n  billing.a: {}\n'),
      ['virtual-servers/v.yaml:1:11 unknown-source', 'virtual-servers/v.yaml:3:3 unknown-source'],
      /No tools are taken from "billing"/,
    ],
    [
      'an override without a source',
      files('tools: [{ from: petstore }]\noverrides:\n  listPets: {}\n'),
      ['virtual-servers/v.yaml:3:3 bad-name'],
      /SOURCE\.TOOL/,
    ],
    [
      'a name of a document',
      { ...files('tools: []'), 'virtual-servers/petstore.yaml': 'tools: []' },
      ['virtual-servers/petstore.yaml:1:1 name-clash'],
      /openapi-specs\/petstore\.yaml and by virtual-servers\/petstore\.yaml/,
    ],
    [
      'a name that no address can have',
      { ...files('tools: []'), 'virtual-servers/My Server.yaml': 'tools: []' },
      ['virtual-servers/My Server.yaml:1:1 bad-name'],
      /Rename the file/,
    ],
    [
      'two files of one name',
      { ...files('tools: []'), 'virtual-servers/v.yml': 'tools: []' },
      ['virtual-servers/v.yml:1:1 name-clash'],
      /v\.yaml and virtual-servers\/v\.yml/,
    ],
    [
      'two files that differ in case',
      { ...files('tools: []'), 'virtual-servers/V.yaml': 'tools: []' },
      ['virtual-servers/V.yaml:1:1 bad-name', 'virtual-servers/v.yaml:1:1 name-clash'],
      /V\.yaml and virtual-servers\/v\.yaml/,
    ],
  ];

  it.each(CASES)('refuse %s', async (_name, all, errors, message) => {
    const loaded = await load(all);
    expect(errorsOf(loaded)).toEqual(errors);
    expect(loaded.problems.at(-1)?.message).toMatch(message);
  });

  it('share one namespace with services and documents', async () => {
    const loaded = await load({
      'hubgate.yaml': 'services:\n  petstore: { url: "https://x.example/" }\n',
      'openapi-specs/petstore.yaml': PETSTORE,
      'openapi-specs/Cats.json': '{"openapi":"3.1.0"}',
      'openapi-specs/cats.yaml': PETSTORE,
    });
    expect(errorsOf(loaded)).toEqual(['hubgate.yaml:1:1 name-clash', 'hubgate.yaml:2:3 name-clash']);
    expect(loaded.problems.map(({ message }) => message)).toEqual([
      'The name "cats" is taken twice: by openapi-specs/Cats.json and by openapi-specs/cats.yaml. Rename one.',
      'The name "petstore" is taken twice: by services in hubgate.yaml and by openapi-specs/petstore.yaml. Rename one.',
    ]);
  });

  it('warn about an agent that no tools are made of, for its name is taken at /mcp', async () => {
    const loaded = await load({
      'hubgate.yaml': 'agents:\n  petstore: { card: demo:echo }\n  cats: { card: demo:echo }\n  own: { card: demo:echo }\n',
      'openapi-specs/petstore.yaml': PETSTORE,
      'virtual-servers/cats.yaml': 'tools: [{ from: petstore }]\n',
    });
    expect(loaded.ok).toBe(true);
    expect(loaded.problems.map(({ code, severity, line, message }) => [code, severity, line, message])).toEqual([
      ['name-clash', 'warning', 2, expect.stringContaining('/mcp/petstore is taken by openapi-specs/petstore.yaml')],
      ['name-clash', 'warning', 3, expect.stringContaining('/mcp/cats is taken by virtual-servers/cats.yaml')],
    ]);
  });

  it('warn when they narrow a source that stands open', async () => {
    const server = 'tools: [{ from: petstore }]\naccess: [{ groups: [a], allow: ["*"] }]\n';
    const open = await load(files(server));
    expect(open.ok).toBe(true);
    expect(open.problems).toMatchObject([
      { code: 'open-source', severity: 'warning', file: 'virtual-servers/v.yaml', line: 2, pointer: '/virtual-servers/v/access' },
    ]);
    expect((await load(files(server, 'services: { petstore: { access: [] } }'))).problems).toEqual([]);
    expect((await load(files('tools: [{ from: petstore }]'))).problems).toEqual([]);
  });

  it('warn about a service without a document', async () => {
    const loaded = await load('services:\n  lost: { description: x }\n');
    expect(loaded.ok).toBe(true);
    expect(loaded.problems).toMatchObject([{ code: 'document-missing', severity: 'warning', line: 2 }]);
  });
});
