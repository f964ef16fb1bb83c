import { readdirSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import type { ChatRequest } from '../../src/core/chat.ts';
import type { ChatSurface, Provider, ProviderExtension, ProviderOptions } from '../../src/core/contracts/provider.ts';
import type { JsonObject } from '../../src/core/json.ts';
import { Secret } from '../../src/core/secret.ts';

const FOLDER = `${import.meta.dirname}/../../src/lanes/models/providers`;
const files = readdirSync(FOLDER).filter((file) => !file.startsWith('_'));

/** Values for what an extension may ask for; which of them it needs, its schema says. */
const VALUES: ProviderOptions & Readonly<Record<string, unknown>> = {
  baseUrl: 'https://vendor.example/base',
  apiKey: new Secret('sk-key'),
  region: 'eu-central-1',
  project: 'my-project',
  apiVersion: '2024-10-21',
  accessKeyId: 'AKIA',
  secretAccessKey: new Secret('aws'),
  serviceAccount: new Secret('{}'),
  oauth2: { clientId: 'id', clientSecret: new Secret('x'), tokenUrl: 'https://login.example/token' },
};

interface Options {
  readonly type?: string;
  readonly additionalProperties?: boolean;
  readonly properties?: Readonly<Record<string, JsonObject>>;
  readonly required?: readonly (keyof ProviderOptions)[];
}

/** Beside what the schema requires: the ways of proving who the hub is, of which `create` wants one. */
const PROOFS: Readonly<Record<string, readonly (readonly (keyof ProviderOptions)[])[]>> = {
  'azure.ts': [['apiKey'], ['oauth2']],
  'bedrock.ts': [['region', 'apiKey'], ['region', 'accessKeyId', 'secretAccessKey'], ['baseUrl']],
  'gemini.ts': [['apiKey'], ['baseUrl']],
  'vertex.ts': [['apiKey'], ['serviceAccount']],
};

/** What must be given, in each of the ways there are. */
function minimal(file: string, { required = [] }: Options): ProviderOptions[] {
  return (PROOFS[file] ?? [[]]).map(
    (proof) => Object.fromEntries([...required, ...proof].map((key) => [key, VALUES[key]])) as ProviderOptions,
  );
}

const ASK: ChatRequest = {
  model: 'some-model',
  stream: false,
  system: [{ type: 'text', text: 'Be kind' }],
  turns: [{ role: 'user', parts: [{ type: 'text', text: 'Hello' }] }],
  tools: [{ name: 'find', description: 'Finds', parameters: { type: 'object', properties: { q: { type: 'string' } } } }],
  maxTokens: 100,
  unread: [],
};

/** A short answer in each wire format, and that it was “Hi” for three tokens and two. */
const ANSWERS: Readonly<Record<string, JsonObject>> = {
  'openai-chat': {
    id: 'c',
    object: 'chat.completion',
    model: 'served',
    choices: [{ index: 0, message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
  },
  'openai-responses': {
    id: 'r',
    object: 'response',
    status: 'completed',
    model: 'served',
    output: [
      { id: 'm', type: 'message', role: 'assistant', status: 'completed', content: [{ type: 'output_text', text: 'Hi', annotations: [] }] },
    ],
    usage: { input_tokens: 3, output_tokens: 2, total_tokens: 5 },
  },
  'anthropic-messages': {
    id: 'm',
    type: 'message',
    role: 'assistant',
    model: 'served',
    content: [{ type: 'text', text: 'Hi' }],
    stop_reason: 'end_turn',
    usage: { input_tokens: 3, output_tokens: 2 },
  },
  gemini: {
    candidates: [{ content: { role: 'model', parts: [{ text: 'Hi' }] }, finishReason: 'STOP' }],
    usageMetadata: { promptTokenCount: 3, candidatesTokenCount: 2, totalTokenCount: 5 },
    modelVersion: 'served',
  },
  'bedrock-converse': {
    output: { message: { role: 'assistant', content: [{ text: 'Hi' }] } },
    stopReason: 'end_turn',
    usage: { inputTokens: 3, outputTokens: 2, totalTokens: 5 },
  },
};

const ODD_BODIES: readonly unknown[] = [
  undefined,
  null,
  '',
  '<html>no</html>',
  7,
  [],
  [{}],
  {},
  { error: null },
  { error: 'text' },
  { error: { message: 7, code: [] } },
  { message: {} },
];

it('there are providers', () => {
  expect(files.length).toBeGreaterThan(10);
});

describe.each(files)('%s', async (file) => {
  const { default: extension } = (await import(`${FOLDER}/${file}`)) as { default: ProviderExtension };
  const options = extension.options as Options;
  const check = new Ajv2020({ strict: false }).compile(extension.options);
  const ways = minimal(file, options);
  const plain = (given: ProviderOptions): unknown => JSON.parse(JSON.stringify(given));

  it('is named like its file and says what it takes', () => {
    expect(extension).toMatchObject({ kind: 'provider', apiVersion: 1, name: file.replace(/\.ts$/, '') });
    expect(options).toMatchObject({ type: 'object', additionalProperties: false });
    expect(check({ nonsense: 1 })).toBe(false);
    for (const given of ways) expect({ given, ok: check(plain(given)), errors: check.errors }).toEqual({ given, ok: true, errors: null });
    for (const key of options.required ?? []) {
      const { [key as keyof ProviderOptions]: _, ...rest } = ways[0]!;
      expect(check(plain(rest))).toBe(false);
    }
  });

  it.each(PROOFS[file] !== undefined ? [file] : [])('%s says in words what is missing', () => {
    const given = Object.fromEntries((options.required ?? []).map((key) => [key, VALUES[key]])) as ProviderOptions;
    expect(() => extension.create(given, undefined as never)).toThrow(
      expect.objectContaining({ code: 'bad_request', message: expect.stringMatching(/^[a-zA-Z]+ is needed\b.*\.$/) }),
    );
  });

  it.each('baseUrl' in (options.properties ?? {}) ? [file] : [])(
    '%s may be inside the hub, and refuses addresses that are none',
    async () => {
      const made = (baseUrl: string) => extension.create({ ...ways[0], baseUrl }, undefined as never);
      for (const [baseUrl, origin] of [
        ['demo:model', 'demo:model'],
        ['demo:model/v1', 'demo:model'],
        ['http://127.0.0.1:9/v1/', 'http://127.0.0.1:9'],
      ] as const)
        expect(await made(baseUrl)).toMatchObject({ origin });
      for (const baseUrl of ['127.0.0.1:9', 'ftp://host', 'https://host/?a=b', 'https://user:word@host', 'demo:'])
        expect(() => made(baseUrl)).toThrow(expect.objectContaining({ code: 'bad_request', message: expect.stringContaining('baseUrl') }));
    },
  );

  describe.each(ways.map((given) => ({ given, keys: Object.keys(given).join(', ') || 'nothing' })))(
    'made from $keys',
    async ({ given }) => {
      const provider: Provider = await extension.create(given, undefined as never);
      const asked = (stream: boolean) => ({
        model: 'org/some model',
        stream,
        headers: { authorization: 'Bearer hg_caller', cookie: 'a=b' },
      });

      it('has an origin and hides its key', () => {
        expect(provider.origin).toMatch(/^(https?:\/\/[^/?#]+|demo:[a-z-]+)$/);
        expect(JSON.stringify(provider.auth)).not.toContain('sk-key');
        if (given.apiKey !== undefined) expect(provider.auth).toMatchObject({ type: 'header', name: expect.stringMatching(/^[a-z-]+$/) });
        if (given.baseUrl !== undefined) expect(provider.origin).toBe('https://vendor.example');
      });

      it('has addresses that are paths, and sends nothing of the caller’s that is secret', () => {
        expect(provider.chat.length).toBeGreaterThan(0);
        const surfaces = [...provider.chat, ...(provider.embeddings === undefined ? [] : [provider.embeddings])];
        for (const surface of surfaces) {
          for (const stream of [false, true]) {
            const { path, headers = {} } = surface.address(asked(stream));
            expect(path).toMatch(/^\/[^\s#]*$/);
            expect(path).not.toMatch(/\/\/|\/$/);
            expect(JSON.stringify(headers)).not.toContain('hg_caller');
            for (const name of Object.keys(headers)) expect(name).toBe(name.toLowerCase());
          }
        }
        for (const path of [provider.models?.path, provider.countTokens?.path('org/some model')])
          if (path !== undefined) expect(path).toMatch(/^\/[^\s#]*$/);
        expect(provider.family('some-model')).toMatch(/^[a-z0-9-]+$/);
      });

      it.each(provider.chat.map((surface) => ({ surface, format: surface.codec.format })))(
        'asks and reads in $format',
        ({ surface }: { surface: ChatSurface }) => {
          const { codec, adapt = (body: JsonObject) => body } = surface;
          const family = provider.family('some-model');
          const { body, dropped } = codec.writeRequest(ASK, { model: 'some-model', family });
          expect(dropped).toEqual([]);
          const sent = adapt(body, { ...asked(false), model: 'some-model' });
          expect(JSON.stringify(sent)).toMatch(/"Hello".*"find"|"find".*"Hello"/);
          expect(JSON.parse(JSON.stringify(sent))).toEqual(sent);
          const answer = ANSWERS[codec.format]!;
          expect(codec.readReply(answer, family)).toMatchObject({
            parts: [{ type: 'text', text: 'Hi' }],
            finish: 'stop',
            usage: { inputTokens: 3, outputTokens: 2 },
          });
          expect(codec.readUsage(answer).usage).toMatchObject({ inputTokens: 3, outputTokens: 2 });
          expect(() => codec.readReply({}, family)).toThrow(expect.objectContaining({ code: 'upstream_failed' }));
          expect(codec.streamReader(family).close()).toEqual([]);
        },
      );

      it('reads lists of models, whatever is in them', () => {
        for (const body of [{}, { data: null }, { data: [{}, null, { id: 7 }] }, { models: [{ name: 7 }, 'x'] }])
          expect(provider.models?.read(body) ?? []).toEqual([]);
      });

      it.each([
        [400, 'model_refused'],
        [401, 'upstream_unauthorized'],
        [402, 'upstream_no_credit'],
        [403, 'upstream_unauthorized'],
        [404, 'model_unknown'],
        [408, 'upstream_timeout'],
        [413, 'body_too_large'],
        [429, 'upstream_limited'],
        [500, 'upstream_failed'],
        [503, 'upstream_overloaded'],
        [504, 'upstream_timeout'],
      ])('%i is %s, whatever the body is', (status, code) => {
        for (const body of ODD_BODIES) expect({ body, code: provider.readFailure(status, {}, body).code }).toEqual({ body, code });
      });

      it('never repeats what the vendor says of the key', () => {
        const words = 'Incorrect key sk-key';
        for (const status of [401, 403])
          for (const body of [
            words,
            { error: words },
            { error: { message: words } },
            { message: words },
            { type: 'error', error: { type: 'authentication_error', message: words } },
          ])
            expect(provider.readFailure(status, {}, body).message).toBeUndefined();
      });

      it('never repeats a body that is no JSON, nor what the vendor says of a model that is not there', () => {
        const words = 'The prompt is too long for projects/acme-prod';
        for (const status of [400, 404, 413, 422])
          for (const body of [words, `<html>${words}</html>`, [words]])
            expect(provider.readFailure(status, {}, body)).not.toHaveProperty('message');
        const error = { message: words };
        for (const body of [{ error }, [{ error }], { message: words }, { type: 'error', error }])
          expect(provider.readFailure(404, {}, body)).toEqual({ code: 'model_unknown' });
      });

      it('reads when to try again', () => {
        expect(provider.readFailure(429, { 'retry-after': '7' }, {}).retryAfterMs).toBe(7_000);
        for (const odd of ['soon', '', '-1', 'Wed, 21 Oct 2026 07:28:00 GMT'])
          expect(provider.readFailure(429, { 'retry-after': odd }, {}).retryAfterMs).toBeUndefined();
      });
    },
  );
});
