import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { ask, type Case, type Cell, echo, failing } from './cases.ts';
import type { Failure } from './ask.ts';
import { routeOf } from './stage.ts';

/** Until the vendor hears that the client has gone. Generous here: the time is measured elsewhere. */
const CLOSE_MS = 2_000;

/** The status that a caller gets for one of the vendor; at the Messages door where it differs. */
const STATUS: readonly (readonly [upstream: number, chat: number, messages?: number])[] = [
  [400, 400],
  [401, 502],
  [403, 502],
  [404, 404],
  [413, 413],
  [429, 429],
  [500, 502],
  [503, 503, 529],
  [529, 503, 529],
];

function assertStatus({ status, message }: Failure, cell: Cell, expected: number): void {
  // A mock that is asked directly gives its own.
  if (cell.direct) assert.ok((status ?? 0) >= 400, message);
  else assert.equal(status, expected, message);
}

const statuses: readonly Case[] = STATUS.flatMap(([upstream, chat, messages]) =>
  [false, true].map((stream) => ({
    name: `error ${upstream}${stream ? ', streamed' : ''}`,
    async run(cell: Cell) {
      const failure = await failing(cell, { fault: upstream === 429 ? '429,retry=2' : String(upstream), stream });
      assertStatus(failure, cell, cell.driver.door === 'messages' ? (messages ?? chat) : chat);
      if (upstream === 429 && cell.provider.retryHint) assert.ok(cell.direct || failure.retryAfter === '2', 'says when to come again');
      if (!cell.direct && (upstream === 401 || upstream === 403)) assert.doesNotMatch(failure.message, /API key|x-api-key|subscription/i);
    },
  })),
);

/** What the status alone does not say: the caller's own names for it are the same, whoever the vendor is. */
const meanings: readonly Case[] = [
  {
    name: 'prompt that is too long',
    async run(cell) {
      const failure = await failing(cell, { fault: 'too-long' });
      assertStatus(failure, cell, 400);
      if (!cell.direct && cell.driver.door !== 'messages') assert.equal(failure.code, 'context_length_exceeded');
    },
  },
  {
    name: 'no credit at the vendor',
    async run(cell) {
      const failure = await failing(cell, { fault: 'no-credit' });
      assertStatus(failure, cell, cell.driver.door === 'messages' ? 402 : 429);
      if (!cell.direct) assert.equal(failure.code, cell.driver.door === 'messages' ? 'billing_error' : 'insufficient_quota');
    },
  },
  {
    name: 'content that is refused',
    async run(cell) {
      const failure = await failing(cell, { fault: 'refused' });
      assertStatus(failure, cell, 400);
      if (!cell.direct && cell.driver.door !== 'messages') assert.equal(failure.code, 'content_filter');
    },
  },
];

const unknownModel: Case = {
  name: 'model that no route has',
  async run(cell) {
    const failure = await failing({ ...cell, model: `unknown-${cell.model}` }, {});
    assertStatus(failure, cell, 404);
  },
};

/** A failure after the status line, or none at all: no client may take it for an answer. */
const broken = (name: string, fault: string, stream: boolean, expected?: number): Case => ({
  name,
  ...(fault.startsWith('hang') && { waits: true }),
  async run(cell) {
    const failure = await failing(cell, { fault, stream });
    assert.equal(failure.aborted, false);
    if (expected !== undefined && !cell.direct) assertStatus(failure, cell, expected);
  },
});

const breaks: readonly Case[] = [
  broken('no answer', 'hang-headers,ms=8000', false, 504),
  broken('no answer, streamed', 'hang-headers,ms=8000', true, 504),
  broken('cut before the headers', 'cut-headers', false, 502),
  broken('cut before the headers, streamed', 'cut-headers', true, 502),
  broken('cut inside the body', 'cut-midstream', false, 502),
  broken('body that is no JSON', 'bad-json', false, 502),
  broken('cut inside the stream', 'cut-midstream', true),
  broken('cut before the last frame', 'cut-midstream,after=1000', true),
  broken('silence inside the stream', 'hang-midstream,ms=8000', true),
  broken('error inside the stream', 'error-midstream', true),
  broken('frame that cannot be read', 'malformed-sse', true),
];

const odd: readonly Case[] = [
  ...[false, true].map((stream) => ({
    name: stream ? 'empty answer, streamed' : 'empty answer',
    // A vendor that says nothing at all: nothing, or an error, is true. Words or a wait would not be.
    async run(cell: Cell) {
      const empty = await ask(cell, { fault: 'empty', stream }).then(
        (seen) => seen.text === '' && seen.calls.length === 0,
        (thrown: unknown) => !cell.driver.failure(thrown).aborted,
      );
      assert.ok(empty);
    },
  })),
  ...[false, true].map((stream) => ({
    name: stream ? 'no usage, streamed' : 'no usage',
    async run(cell: Cell) {
      const seen = await ask(cell, { fault: 'no-usage', stream });
      assert.deepEqual([seen.text, seen.finish], ['Echo: hello there', 'stop']);
    },
  })),
  {
    name: 'slow first token',
    async run(cell) {
      assert.equal((await ask(cell, { fault: 'slow-first-token,ms=300', stream: true })).text, 'Echo: hello there');
    },
  },
  {
    name: 'abort inside the stream',
    async run(cell) {
      const leaving = new AbortController();
      const turns = [{ role: 'user' as const, text: 'count to 50' }];
      const onFirst = (): void => leaving.abort();
      const failure = await failing(cell, { turns, fault: 'slow,ms=150', stream: true, signal: leaving.signal, onFirst });
      assert.ok(failure.aborted, failure.message);
      const until = Date.now() + CLOSE_MS;
      while (Date.now() < until && !cell.recorded()[0]?.aborted) await sleep(20);
      assert.ok(cell.recorded()[0]?.aborted, 'the vendor hears of it');
    },
  },
];

const besides: readonly Case[] = [
  {
    name: 'route with a name',
    async run(cell) {
      const model = cell.direct ? cell.model : routeOf(cell.provider);
      assert.equal((await ask({ ...cell, model })).text, echo(cell, 'hello there'));
    },
  },
  {
    name: 'list of models',
    needs: 'models',
    async run(cell) {
      const names = (await cell.driver.models?.(cell.base)) ?? [];
      assert.ok(cell.direct ? names.length > 0 : names.includes(routeOf(cell.provider)), names.join(' '));
    },
  },
  ...(['float', 'base64'] as const).map((encoding) => ({
    name: `embeddings, ${encoding}`,
    needs: 'embed' as const,
    async run(cell: Cell) {
      const vector = (await cell.driver.embed?.(cell.base, cell.model, encoding)) ?? [];
      assert.equal(vector.length, 8);
      assert.ok(vector.every((value) => value >= -1 && value <= 1));
    },
  })),
  {
    name: 'counting tokens',
    needs: 'count',
    async run(cell) {
      const tokens = (await cell.driver.count?.(cell.base, cell.model, 'one two three four')) ?? 0;
      assert.ok(tokens >= 2 && tokens <= 40, String(tokens));
    },
  },
];

export const FAILURES: readonly Case[] = [...statuses, ...meanings, unknownModel, ...breaks, ...odd, ...besides];
