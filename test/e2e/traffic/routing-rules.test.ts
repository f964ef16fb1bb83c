import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { askAdmin } from '../../support/ask-admin.ts';
import type { Mocks } from '../../support/mock-providers/server.mjs';
import { type Answer, ask, type Asking } from './_ask.ts';
import { runCommand } from './_run-command.ts';
import { openai, SECRETS, type Stage, startStage } from './_stage.ts';

const KEYS = { alice: 'hg_key-of-alice', bob: 'hg_key-of-bob' } as const;
type Caller = keyof typeof KEYS;
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

const to = (model?: string, provider = 'a'): object => ({ targets: [{ provider, ...(model && { model }) }] });

/** Later routes of a name take what the ones before leave. */
const config = ([one, two]: readonly Mocks[]): object => ({
  providers: { a: openai(one!.openai), b: openai(two!.openai) },
  consumers: [
    { name: 'alice', groups: ['gold', 'staff'], keys: [{ sha256: sha256(KEYS.alice) }] },
    { name: 'bob', groups: ['staff'], keys: [{ sha256: sha256(KEYS.bob) }] },
  ],
  models: [
    { name: 'support', aliases: ['help-desk', 'gpt-4o'], ...to('gpt-support') },
    { match: { model: 'pass-*' }, ...to(undefined, 'b') },
    { match: { model: 'claude-*' }, ...to('gpt-in-its-place') },
    { name: 'gold-only', match: { model: 'tiered', header: { 'X-Tier': 'gold*' } }, ...to('gpt-gold') },
    { match: { model: 'tiered' }, ...to('gpt-usual') },
    { match: { model: 'of-groups', group: 'gold' }, ...to('gpt-of-gold') },
    { match: { model: 'of-groups', group: 'st*' }, ...to('gpt-of-staff') },
    { match: { model: 'of-one', consumer: 'ali*' }, ...to('gpt-of-alice') },
    { match: { model: 'by-text' }, when: 'call.text.contains("invoice")', ...to('gpt-invoices') },
    { match: { model: 'by-text' }, when: 'call.size > 3000.0', ...to('gpt-long') },
    { match: { model: 'by-text' }, ...to('gpt-chatter') },
    { match: { model: 'by-when' }, when: 'request.headers["x-app"] == "billing"', ...to('gpt-billing') },
    { match: { model: 'by-when' }, when: '"gold" in consumer.groups && !call.text.contains("cheap")', ...to('gpt-dear') },
    { match: { model: 'by-when' }, when: 'request.time > timestamp("2020-01-01T00:00:00Z")', ...to('gpt-since-2020') },
    { name: 'never', match: { model: 'pass-later' }, ...to() },
    { name: 'after-never', match: { model: 'tiered', group: 'gold' }, ...to() },
  ],
});

const DEAR = 'a cheap question';
/** What is asked, by whom, and the model that the vendor is asked for; undefined: there is none for this caller. */
const RULES: readonly (readonly [
  asked: string,
  as: Caller,
  served: string | undefined,
  how?: { headers?: Record<string, string>; text?: string },
])[] = [
  ['support', 'bob', 'gpt-support'],
  ['help-desk', 'bob', 'gpt-support'],
  ['gpt-4o', 'alice', 'gpt-support'],
  ['gpt-4', 'alice', undefined],
  ['pass-this', 'bob', 'pass-this'],
  ['pass-later', 'bob', 'pass-later'],
  ['claude-sonnet-5', 'bob', 'gpt-in-its-place'],
  ['tiered', 'bob', 'gpt-gold', { headers: { 'x-tier': 'gold-2' } }],
  ['tiered', 'bob', 'gpt-usual', { headers: { 'x-tier': 'silver' } }],
  ['tiered', 'alice', 'gpt-usual', { text: 'gold' }],
  ['gold-only', 'alice', undefined, { headers: { 'x-tier': 'gold' } }],
  ['of-groups', 'alice', 'gpt-of-gold'],
  ['of-groups', 'bob', 'gpt-of-staff'],
  ['of-one', 'alice', 'gpt-of-alice'],
  ['of-one', 'bob', undefined],
  ['by-text', 'bob', 'gpt-invoices', { text: 'where is my invoice?' }],
  ['by-text', 'bob', 'gpt-long', { text: 'in voice '.repeat(400) }],
  ['by-text', 'bob', 'gpt-chatter', { text: 'hello' }],
  ['by-when', 'bob', 'gpt-billing', { headers: { 'x-app': 'billing' } }],
  ['by-when', 'alice', 'gpt-dear', { headers: { 'x-app': 'shop' } }],
  ['by-when', 'alice', 'gpt-since-2020', { text: DEAR }],
  ['by-when', 'bob', 'gpt-since-2020'],
];

const CASES = RULES.map(([asked, as, served, { headers = {}, text = 'hello' } = {}]) => ({ asked, as, served, headers, text }));

interface Step {
  readonly rule: string;
  readonly effect: string;
  readonly file?: string;
  readonly line?: number;
  readonly value?: { readonly model?: string; readonly provider?: string };
}

describe('rules of routes', () => {
  let stage: Stage;
  beforeAll(async () => (stage = await startStage({ config })));
  afterAll(() => stage?.stop());
  beforeEach(() => stage.reset());

  const send = (as: Caller, asking: Asking): Promise<Answer> =>
    ask(stage.hub.url, { ...asking, headers: { authorization: `Bearer ${KEYS[as]}`, ...asking.headers } });
  const reached = (): (string | undefined)[] => stage.arms.flatMap(({ openai: mock }) => mock.requests.map(({ model }) => model));

  it.each(CASES)('$asked asked by $as with $headers goes to $served', async ({ asked, as, served, headers, text }) => {
    const answer = await send(as, { model: asked, text, headers });
    expect(reached()).toEqual(served === undefined ? [] : [served]);
    if (served !== undefined) return expect(answer).toMatchObject({ status: 200, body: { model: served } });
    return expect(answer).toMatchObject({ status: 404, body: { error: { code: 'model_not_found' } } });
  });

  it.each(CASES)('$asked asked by $as with $headers is explained as what goes to $served', async ({ asked, as, served, headers, text }) => {
    const lines = Object.entries(headers).map((pair) => pair.join(': '));
    const query = new URLSearchParams({ model: asked, consumer: as, headers: lines.join('\n'), text });
    const { body } = await askAdmin(stage.hub, 'GET', `/explain?${query}`);
    const steps = body.steps as readonly Step[];
    const targets = steps.filter(({ effect, value }) => effect === 'allows' && value?.model !== undefined);
    expect(targets.map(({ value }) => value?.model)).toEqual(served === undefined ? [] : [served]);
    expect(body).toMatchObject({ visible: served !== undefined, callable: served !== undefined });
    expect(reached()).toEqual([]);
  });

  it('the command prints the path, each rule with its line, and the target', async () => {
    const asked = ['explain', 'model', 'by-when', '--as', 'alice'];
    const [text, json, open] = await Promise.all([
      runCommand(stage.hub, [...asked, '--header', 'x-app: shop', '--header', 'x-tier: gold', '--text', 'dear all']),
      runCommand(stage.hub, [...asked, '--text', DEAR, '--json']),
      runCommand(stage.hub, asked),
    ]);
    expect(text).toMatch(/by-when for alice: visible, callable/);
    expect(text).toMatch(/info +route route-12: when request\.headers\["x-app"\] == "billing" \(false\) +hubgate\.yaml:\d+/);
    expect(text).toMatch(/allows +route route-13: when "gold" in consumer\.groups .* \(true\)/);
    expect(text).toMatch(/allows +target a \(openai at http:\S+\), model gpt-dear: the route forces the name; healthy/);
    expect(text).not.toContain('gpt-since-2020');
    expect(JSON.parse(json).steps.at(-1)).toMatchObject({
      effect: 'allows',
      value: { model: 'gpt-since-2020', weight: 1, health: 'healthy' },
    });
    // Of a request of which nothing is said, the rules are told and not decided.
    expect(open).toMatch(/info +route route-12: when .* \(asked at each request\)/);
    expect(open).toMatch(/taken or not: the request decides/);
    expect(reached()).toEqual([]);
  });

  it('a route that never takes a call is shown with its line, by the check and in the status', async () => {
    const said = await runCommand(stage.hub, ['check'], SECRETS);
    const { body } = await askAdmin(stage.hub, 'GET', '/status');
    const unreachable = (body.config.warnings as { code: string }[]).filter(({ code }) => code === 'route_unreachable');
    expect(body.config.ok).toBe(true);
    expect(unreachable).toEqual([
      expect.objectContaining({ pointer: '/models/14', file: 'hubgate.yaml', line: await lineOf('"never"') }),
      expect.objectContaining({ pointer: '/models/15', message: expect.stringMatching(/after-never never takes a call: route-5/) }),
    ]);
    expect(said).toMatch(/^hubgate\.yaml:\d+:5 warning: The route never never takes a call: route-2, which stands before it/m);
    expect(said).toMatch(/2 warnings/);
  });

  /** Of the configuration: where the entry begins that holds the text in its first line. */
  async function lineOf(text: string): Promise<number> {
    const lines = (await readFile(join(stage.hub.dir, 'hubgate.yaml'), 'utf8')).split('\n');
    return lines.findIndex((line) => line.includes(text));
  }

  it('a list of models has names and aliases, and no globs', async () => {
    const listed = async (as: Caller): Promise<string[]> => {
      const answer = await fetch(`${stage.hub.url}/v1/models`, { headers: { authorization: `Bearer ${KEYS[as]}` } });
      return ((await answer.json()) as { data: { id: string }[] }).data.map(({ id }) => id);
    };
    const [alice, bob] = await Promise.all([listed('alice'), listed('bob')]);
    expect(alice).toEqual(expect.arrayContaining(['support', 'help-desk', 'gpt-4o', 'of-one']));
    expect(bob).not.toContain('of-one');
    expect([...alice, ...bob].filter((id) => id.includes('*'))).toEqual([]);
  });
});
