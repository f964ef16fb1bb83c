import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askAdmin } from '../../support/ask-admin.ts';
import { startHub, type Hub } from '../../support/start-hub.ts';
import { runCli, runHere, type CliResult } from '../../unit/cli/run-cli.ts';

const PETSTORE = readFileSync(new URL('../../../openapi-specs/petstore.yaml', import.meta.url), 'utf8');
const CONFIG = `
services:
  petstore:
    spec: openapi-specs/petstore.yaml
    baseUrl: demo:petstore
    access: [{ groups: [keepers], allow: ['*'] }, { groups: [visitors], allow: [{ risk: read }] }]
consumers:
  - { name: alice, groups: [keepers] }
  - { name: bob, groups: [visitors] }
`;
const QUESTIONS = JSON.stringify({
  queries: [
    { q: 'remove a pet from the shop for good', gold: ['deletePet'], kind: 'single' },
    { q: 'count the pets by status', gold: ['getInventory'] },
    { q: 'the photo of a pet', gold: ['getPetPhotos'] },
  ],
});

let hub: Hub;
beforeAll(async () => {
  hub = await startHub({ files: { 'hubgate.yaml': CONFIG, 'openapi-specs/petstore.yaml': PETSTORE, 'questions.json': QUESTIONS } });
});
afterAll(() => hub.stop());

const running = (...args: string[]): Promise<CliResult> => runHere(hub.dir, args, { HUBGATE_ADMIN_PORT: new URL(hub.adminUrl).port });
/** On the same files, with nothing that runs. */
const alone = async (...args: string[]): Promise<CliResult> => {
  const data = `${hub.dir}/other`;
  await mkdir(data, { recursive: true });
  return runHere(hub.dir, args, { HUBGATE_DATA: data });
};
const evaluate = (as: string, ...more: string[]): string[] => [
  'eval',
  'tools',
  `${hub.dir}/questions.json`,
  '--server',
  'petstore',
  '--as',
  as,
  ...more,
];
const names = ({ stdout }: CliResult): string[] => (JSON.parse(stdout) as { tools: { name: string }[] }).tools.map(({ name }) => name);

describe('tools search', () => {
  const search = (as: string, ...more: string[]): string[] => [
    'tools',
    'search',
    'remove a pet for good',
    '--server',
    'petstore',
    '--as',
    as,
    ...more,
  ];

  it('shows rank, score, words and what the tool does', async () => {
    const { code, stdout, stderr } = await running(...search('alice', '--top', '2'));
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.split('\n')[0]).toMatch(/^ +tool +score +words +description$/);
    expect(stdout).toMatch(/^1\. +deletePet +1\.00 +remov pet.* {2}Removes a pet from the shop for good\.$/m);
    expect(stdout.trimEnd().split('\n')).toHaveLength(3);
  });

  it('gives what the API gives, running or not, and never what the consumer may not use', async () => {
    for (const as of ['alice', 'bob']) {
      const [one, other] = [await running(...search(as, '--json')), await alone(...search(as, '--json'))];
      const { body } = await askAdmin(hub, 'GET', `/tools/search?query=remove+a+pet+for+good&server=petstore&consumer=${as}`);
      expect(JSON.parse(one.stdout)).toEqual(body);
      expect(JSON.parse(other.stdout)).toEqual(body);
      expect(names(one).includes('deletePet')).toBe(as === 'alice');
      expect(body.tools[0]).toMatchObject({
        inputSchema: {},
        lexical: expect.any(Number),
        cosine: expect.any(Number),
        words: expect.any(Array),
      });
    }
  });

  it('says who, where and why not', async () => {
    expect(await running('tools', 'search', 'x')).toMatchObject({ code: 1, stderr: expect.stringContaining('There are alice, bob.') });
    expect(await running('tools', 'search', 'x', '--as', 'alise')).toMatchObject({ code: 1, stderr: expect.stringContaining('"alice"') });
    expect(await running('tools', 'search', 'x', '--as', 'bob', '--server', 'nowhere')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('There is no server "nowhere".'),
    });
    expect(await running('tools', 'search', '我要买一只狗', '--as', 'bob')).toMatchObject({
      code: 0,
      stdout: '',
      stderr: expect.stringContaining('No tool that bob sees here has a word or a meaning in common'),
    });
    expect(await running('tools', 'search', 'x', '--top', '101')).toMatchObject({ code: 2 });
  });
});

describe('eval tools', () => {
  it('measures what each consumer finds, running or not', async () => {
    const [one, other] = [await running(...evaluate('alice', '--json')), await alone(...evaluate('alice', '--json'))];
    expect(JSON.parse(one.stdout)).toMatchObject({
      tools: 10,
      unknown: [{ name: 'getPetPhotos', near: 'getPetPhoto' }],
      figures: { queries: 3, recall: { 1: 2 / 3, 20: 2 / 3 }, all: { 5: 2 / 3 }, mrr: 2 / 3 },
      results: [
        { expected: ['deletePet'], found: expect.arrayContaining([expect.objectContaining({ name: 'deletePet', score: 1 })]) },
        {},
        {},
      ],
      floors: [],
    });
    expect(JSON.parse(other.stdout)).toEqual(JSON.parse(one.stdout));
    const { stdout } = await running(...evaluate('bob', '--top', '5'));
    expect(stdout).toMatch(/^3 questions to petstore for bob: \d tools, /);
    expect(stdout).toMatch(/^ {2}deletePet/m);
    expect(stdout).toContain('Missed in the first 5: 2 of 3 questions');
  });

  it('ends with 1 where a floor is not reached', async () => {
    const env = { HUBGATE_ADMIN_PORT: new URL(hub.adminUrl).port };
    const low = await runCli(hub.dir, evaluate('alice', '--floor', 'R@5=0.9', '--floor', 'MRR=0.5'), env);
    expect(low).toMatchObject({ code: 1, stderr: expect.stringContaining('floor R@5=0.9 is not reached: 0.667') });
    expect(low.stdout).toContain('floor MRR=0.5 is reached: 0.667');
    expect((await running(...evaluate('alice', '--floor', 'R@5=60%'))).code).toBe(0);
    expect((await running(...evaluate('alice', '--floor', 'R@7=0.6'))).code).toBe(2);
  });

  it('tells which model answered in place of one that is not there', async () => {
    const { stdout, stderr } = await running(...evaluate('alice', '--model', 'no-such-model'));
    expect(stderr).toMatch(/^no-such-model was asked for and static answers: /);
    expect(stdout).toContain('found by hubgate-static-en@');
    expect((await running(...evaluate('alice', '--model', 'none'))).stdout).toContain('found by words alone');
  });

  it('loads no model by a path that the configuration does not name', async () => {
    const { code, stderr } = await running(...evaluate('alice', '--model', '/etc/made-up'));
    expect(code).not.toBe(0);
    expect(stderr).toContain('the name of its folder');
    const { semantic } = (await askAdmin(hub, 'GET', '/status')).body as { semantic: object };
    expect(JSON.stringify(semantic)).not.toContain('made-up');
  });
});

const INTENTS = `
providers: { demo: { type: demo } }
models:
  - { name: accounting, match: { intent: billing }, targets: [{ provider: demo }] }
  - { match: { model: 'demo*' }, targets: [{ provider: demo }] }
intents:
  billing: { examples: [I was charged twice, send me the invoice, my payment was declined, the bill is wrong, which card do I pay with] }
  returns: { examples: [I want to send it back, the parcel came damaged, how do I return shoes, swap it for another size, it does not fit] }
`;

describe('eval routes', () => {
  const evaluateRoutes = (...more: string[]): Promise<CliResult> => running('eval', 'routes', `${hub.dir}/texts.jsonl`, ...more);

  it('says so where there are no intents', async () => {
    await hub.write('texts.jsonl', '{"text": "Hello", "intent": null}');
    expect(await evaluateRoutes()).toMatchObject({ code: 1, stderr: expect.stringContaining('The configuration has no intents') });
  });

  it('takes routes for their intents, and judges', async () => {
    await hub.write('hubgate.yaml', `${CONFIG}${INTENTS}`);
    const texts = [
      { text: 'I was charged twice', route: 'accounting' },
      { text: 'I want to send it back', intent: 'returns' },
      { text: 'I want to send it back', route: 'route-2' },
      { text: 'the parcel came damaged', intent: 'return' },
      { text: 'my payment was declined', route: 'acounting' },
    ];
    await hub.write('texts.jsonl', texts.map((text) => JSON.stringify(text)).join('\n'));
    await expect.poll(async () => (await evaluateRoutes()).code, { timeout: 10_000 }).toBe(0);
    const { code, stdout } = await evaluateRoutes('--json', '--floor', 'accuracy=0.4,none=0.5');
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      intents: ['billing', 'returns'],
      unknown: [
        { name: 'acounting', near: 'accounting' },
        { name: 'return', near: 'returns' },
      ],
      figures: { texts: 5, accuracy: 0.4, inScope: 0.5, none: 0 },
      results: [
        { expected: 'billing', given: 'billing' },
        { expected: 'returns', given: 'returns' },
        { expected: null, given: 'returns' },
        { expected: 'return', given: 'returns' },
        { expected: 'acounting', given: 'billing' },
      ],
      floors: [
        { name: 'accuracy', ok: true },
        { name: 'none', ok: false },
      ],
    });
  });
});

it('a path to a model is taken in files only, and the answer names the place', async () => {
  await hub.write('hubgate.yaml', `${CONFIG}${INTENTS}`);
  const refused = (pointer: string) => ({
    status: 400,
    body: { errors: [{ path: pointer, message: expect.stringContaining('A path is taken in files only.') }] },
  });
  for (const model of ['/etc', './questions', '../other']) {
    const server = { tools: [{ from: 'petstore' }], search: { mode: 'on', model } };
    expect(await askAdmin(hub, 'PUT', '/virtual-servers/desk', server)).toMatchObject(refused('/virtual-servers/desk/search/model'));
    for (const policy of ['semantic-cache', 'tool-selection']) {
      const route = { match: { model: 'x' }, targets: [{ provider: 'demo' }], policies: [{ [policy]: { model } }] };
      expect(await askAdmin(hub, 'PUT', '/models/x', route)).toMatchObject(refused(`/models/x/policies/0/${policy}/model`));
    }
  }
  const named = { tools: [{ from: 'petstore' }], search: { mode: 'on', model: 'none' } };
  expect((await askAdmin(hub, 'PUT', '/virtual-servers/desk', named)).status).toBe(201);
});

it('is described with the rest of the admin API', async () => {
  const { body } = await askAdmin(hub, 'GET', '/openapi.json');
  for (const path of ['/admin/v1/tools/search', '/admin/v1/eval/tools', '/admin/v1/eval/routes']) expect(body.paths).toHaveProperty([path]);
});
