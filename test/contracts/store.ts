import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PushRecord, Store, TaskRecord } from '../../src/core/contracts/store.ts';

/** One place that stores can be opened on. `now` is the clock that the store is to use. */
export interface StorePlace {
  open(options: { secretKey: Buffer; now: () => number }): Promise<Store>;
  /** All that is at rest, as bytes. */
  atRest(): Promise<Buffer>;
  remove(): Promise<void>;
}

const SECRET_KEY = Buffer.alloc(32, 7);
/** Texts that break careless code: SQL, prototypes, empty, long, no ASCII. */
const HOSTILE = [
  `x'; drop table resource; --`,
  '" or 1=1 --',
  '__proto__',
  'constructor',
  '',
  '%',
  '_',
  'é\u{1F600}',
  'a'.repeat(10_000),
  '?1',
  ':name',
  '/a~1b',
];

const TASK: TaskRecord = {
  agent: 'travel',
  task: 't1',
  context: 'c1',
  owner: 'alice',
  instance: 'travel#2',
  state: 'TASK_STATE_WORKING',
  updatedAt: Date.UTC(2026, 10, 21),
};
const PUSH: PushRecord = {
  agent: 'travel',
  task: 't1',
  id: 'p1',
  owner: 'alice',
  instance: 'travel#2',
  digest: 'd1',
  version: '0.3',
  config: {
    url: 'https://hook.example/canary-path',
    token: 'canary-token',
    authentication: { scheme: 'Bearer', credentials: 'canary-credentials' },
  },
  createdAt: Date.UTC(2026, 10, 21),
};

/** What every store has to pass. One that does not `survive` close() is not asked for what only the disk can answer. */
export function examineStore(name: string, { survives }: { survives: boolean }, makePlace: () => Promise<StorePlace>): void {
  describe(`store: ${name}`, () => {
    let place: StorePlace;
    let store: Store;
    let time: number;
    const now = (): number => time;
    const reopen = async (): Promise<void> => {
      if (!survives) return;
      await store.close();
      store = await place.open({ secretKey: SECRET_KEY, now });
    };

    beforeEach(async () => {
      time = Date.UTC(2026, 10, 21);
      place = await makePlace();
      store = await place.open({ secretKey: SECRET_KEY, now });
    });
    afterEach(async () => {
      await store.close();
      await place.remove();
    });

    describe('resources', () => {
      it('gives back what was put, in order of kind and name', async () => {
        const revision = await store.resources.put('services', 'b', {
          config: { url: 'https://x.example', list: [1, 2.5, null, 'ü'] },
          secrets: new Map([['/auth/bearer', 'tok-1']]),
          document: '{"openapi":"3.1.0"}',
        });
        await store.resources.put('services', 'a', { config: {} });
        await store.resources.put('consumers', 'z', { config: { groups: ['x'] } });
        await reopen();
        const all = await store.resources.all();
        expect(all.map((one) => `${one.kind}/${one.name}`)).toEqual(['consumers/z', 'services/a', 'services/b']);
        expect(all[2]).toEqual({
          kind: 'services',
          name: 'b',
          revision,
          config: { url: 'https://x.example', list: [1, 2.5, null, 'ü'] },
          secrets: new Map([['/auth/bearer', 'tok-1']]),
          documentHash: createHash('sha256').update('{"openapi":"3.1.0"}').digest('hex'),
          updatedAt: time,
        });
        expect(all[1]).not.toHaveProperty('documentHash');
        expect(await store.resources.document('services', 'b')).toBe('{"openapi":"3.1.0"}');
        expect(await store.resources.document('services', 'a')).toBeUndefined();
      });

      it('replaces the whole entry', async () => {
        await store.resources.put('services', 'a', { config: { a: 1 }, secrets: new Map([['/k', 'v']]), document: 'text' });
        time += 5;
        await store.resources.put('services', 'a', { config: { b: 2 } });
        const all = await store.resources.all();
        expect(all).toHaveLength(1);
        expect(all[0]).toMatchObject({ config: { b: 2 }, secrets: new Map(), updatedAt: time });
        expect(all[0]).not.toHaveProperty('documentHash');
        expect(await store.resources.document('services', 'a')).toBeUndefined();
      });

      it('writes only over the revision that was read', async () => {
        const conflict = { code: 'precondition_failed' };
        await expect(store.resources.put('services', 'a', { config: {} }, { ifRevision: 'none' })).rejects.toMatchObject(conflict);
        const first = await store.resources.put('services', 'a', { config: { n: 1 }, document: 'one' });
        const second = await store.resources.put('services', 'a', { config: { n: 2 }, document: 'two' }, { ifRevision: first });
        expect(second).not.toBe(first);
        await expect(
          store.resources.put('services', 'a', { config: { n: 3 }, document: 'three' }, { ifRevision: first }),
        ).rejects.toMatchObject(conflict);
        await expect(store.resources.delete('services', 'a', { ifRevision: first })).rejects.toMatchObject(conflict);
        expect((await store.resources.all())[0]).toMatchObject({ config: { n: 2 }, revision: second });
        expect(await store.resources.document('services', 'a')).toBe('two');
        expect(await store.resources.delete('services', 'a', { ifRevision: second })).toBe(true);
        expect(await store.resources.delete('services', 'a', { ifRevision: second })).toBe(false);
        const again = await store.resources.put('services', 'a', { config: { n: 1 } });
        expect([first, second]).not.toContain(again);
      });

      it('lets one of many writers of one revision through', async () => {
        const first = await store.resources.put('services', 'a', { config: { n: 0 } });
        const tries = await Promise.allSettled(
          [...Array(20).keys()].map((n) => store.resources.put('services', 'a', { config: { n } }, { ifRevision: first })),
        );
        expect(tries.filter((one) => one.status === 'fulfilled')).toHaveLength(1);
      });

      it('deletes document and secrets with the entry', async () => {
        await store.resources.put('services', 'a', { config: {}, secrets: new Map([['/k', 'v']]), document: 'text' });
        await store.resources.put('servers', 'a', { config: {}, document: 'other' });
        expect(await store.resources.delete('services', 'a')).toBe(true);
        expect(await store.resources.document('services', 'a')).toBeUndefined();
        expect((await store.resources.all()).map((one) => one.kind)).toEqual(['servers']);
        expect(await store.resources.document('servers', 'a')).toBe('other');
      });

      it('keeps hostile names apart', async () => {
        for (const text of HOSTILE)
          await store.resources.put(text, text, { config: text, secrets: new Map([[text, text]]), document: text });
        await reopen();
        const all = await store.resources.all();
        expect(all).toHaveLength(HOSTILE.length);
        for (const text of HOSTILE) {
          expect(all.find((one) => one.kind === text)).toMatchObject({ name: text, config: text, secrets: new Map([[text, text]]) });
          expect(await store.resources.document(text, text)).toBe(text);
        }
        expect(await store.resources.delete('%', '_')).toBe(false);
      });

      it('takes any JSON', async () => {
        await fc.assert(
          fc.asyncProperty(fc.jsonValue(), fc.dictionary(fc.string(), fc.string({ unit: 'binary' })), async (config, secrets) => {
            await store.resources.put('k', 'n', { config, secrets: new Map(Object.entries(secrets)) });
            const [read] = await store.resources.all();
            expect(JSON.stringify(read?.config)).toBe(JSON.stringify(config));
            expect(read?.secrets).toEqual(new Map(Object.entries(secrets)));
          }),
          { numRuns: 50 },
        );
      });

      it('takes documents of megabytes', async () => {
        const document = 'ü'.repeat(5_000_000);
        await store.resources.put('services', 'big', { config: {}, document });
        expect((await store.resources.document('services', 'big')) === document).toBe(true);
      });
    });

    describe('keys', () => {
      it('lists keys of one consumer without digests', async () => {
        const first = await store.keys.create({ consumer: 'alice', digest: 'd1', label: 'laptop', expiresAt: time + 1000 });
        time += 1;
        const second = await store.keys.create({ consumer: 'alice', digest: 'd2' });
        await store.keys.create({ consumer: 'bob', digest: 'd3' });
        await reopen();
        expect(await store.keys.list('alice')).toEqual([first, second]);
        expect(first).toEqual({ id: first.id, consumer: 'alice', label: 'laptop', createdAt: time - 1, expiresAt: time + 999 });
        expect(second).toEqual({ id: second.id, consumer: 'alice', createdAt: time });
        expect((await store.keys.all()).map((key) => `${key.consumer} ${key.digest}`).sort()).toEqual(['alice d1', 'alice d2', 'bob d3']);
      });

      it('refuses a digest that is there, whoever has it', async () => {
        await store.keys.create({ consumer: 'alice', digest: 'd' });
        await expect(store.keys.create({ consumer: 'bob', digest: 'd' })).rejects.toMatchObject({ code: 'conflict' });
        expect(await store.keys.list('bob')).toEqual([]);
      });

      it('deletes a key for its owner only', async () => {
        const { id } = await store.keys.create({ consumer: 'alice', digest: 'd' });
        expect(await store.keys.delete('bob', id)).toBe(false);
        for (const text of HOSTILE) expect(await store.keys.delete(text, text)).toBe(false);
        expect(await store.keys.list('alice')).toHaveLength(1);
        expect(await store.keys.delete('alice', id)).toBe(true);
        expect(await store.keys.delete('alice', id)).toBe(false);
        expect(await store.keys.all()).toEqual([]);
      });

      it('keeps hostile consumers apart', async () => {
        for (const text of HOSTILE) await store.keys.create({ consumer: text, digest: `d ${text}`, label: text });
        for (const text of HOSTILE) expect((await store.keys.list(text)).map((key) => key.label)).toEqual([text]);
      });
    });

    it('keeps the names of tools by service', async () => {
      const names = new Map([...HOSTILE.map((text): [string, string] => [text, `n ${text}`]), ['GET /a', 'get_a']]);
      expect(await store.toolNames.get('github')).toEqual(new Map());
      await store.toolNames.put('github', names);
      await store.toolNames.put('__proto__', new Map([['GET /a', 'other']]));
      await reopen();
      expect(await store.toolNames.get('github')).toEqual(names);
      expect(await store.toolNames.get('__proto__')).toEqual(new Map([['GET /a', 'other']]));
      await store.toolNames.put('github', new Map([['GET /b', 'get_b']]));
      expect(await store.toolNames.get('github')).toEqual(new Map([['GET /b', 'get_b']]));
    });

    describe('key and value', () => {
      it('keeps JSON by namespace', async () => {
        const [one, two] = [store.keyValue('one'), store.keyValue('two')];
        for (const text of HOSTILE) await one.set(text, { text });
        await two.set('%', 2);
        await one.set('null', null);
        await reopen();
        const read = store.keyValue('one');
        for (const text of HOSTILE) expect(await read.get(text)).toEqual({ text });
        expect(await read.get('null')).toBeNull();
        expect(await read.get('none')).toBeUndefined();
        expect(await store.keyValue('two').get('%')).toBe(2);
        await read.set('%', [1]);
        expect(await read.get('%')).toEqual([1]);
        await read.delete('%');
        await read.delete('%');
        expect(await read.get('%')).toBeUndefined();
        expect(await store.keyValue('two').get('%')).toBe(2);
        await expect(read.set('x', undefined)).rejects.toThrow(/not JSON/);
      });

      it('forgets in time', async () => {
        const values = store.keyValue('x');
        await values.set('short', 1, { ttlMs: 1000 });
        await values.set('long', 2);
        time += 999;
        expect(await values.get('short')).toBe(1);
        time += 1;
        expect(await values.get('short')).toBeUndefined();
        expect(await values.get('long')).toBe(2);
        await values.set('short', 3);
        time += 120_000;
        await values.set('other', 4);
        expect(await values.get('short')).toBe(3);
      });
    });

    it('remembers ended sessions until they would have ended', async () => {
      await store.endedSessions.add('a', time + 1000);
      await store.endedSessions.add('a', time + 2000);
      await store.endedSessions.add('b', time + 500);
      await reopen();
      expect((await store.endedSessions.all()).toSorted((x, y) => x.until - y.until)).toEqual([
        { digest: 'b', until: time + 500 },
        { digest: 'a', until: time + 2000 },
      ]);
      time += 500;
      expect(await store.endedSessions.all()).toEqual([{ digest: 'a', until: time + 1500 }]);
      time += 120_000;
      await store.endedSessions.add('c', time + 1);
      expect(await store.endedSessions.all()).toEqual([{ digest: 'c', until: time + 1 }]);
    });

    describe('tasks of agents', () => {
      const names = async (query: Partial<Parameters<Store['tasks']['list']>[0]> = {}): Promise<string[]> =>
        (await store.tasks.list({ agent: 'travel', owner: 'alice', limit: 100, ...query })).tasks.map(({ task }) => task);

      it('keeps owner and instance as they were, and brings the rest up to date', async () => {
        await store.tasks.put({ ...TASK, content: { id: 't1', list: [1, null] } });
        await reopen();
        expect(await store.tasks.get('travel', 't1')).toEqual({ ...TASK, content: { id: 't1', list: [1, null] } });
        await store.tasks.put({
          ...TASK,
          owner: 'bob',
          instance: 'x',
          context: '',
          state: 'TASK_STATE_COMPLETED',
          updatedAt: TASK.updatedAt + 1,
        });
        const changed = { ...TASK, state: 'TASK_STATE_COMPLETED', updatedAt: TASK.updatedAt + 1 };
        expect(await store.tasks.get('travel', 't1')).toEqual({ ...changed, content: { id: 't1', list: [1, null] } });
        await store.tasks.put({ ...changed, context: 'c2', content: 7 });
        expect(await store.tasks.get('travel', 't1')).toEqual({ ...changed, context: 'c2', content: 7 });
        expect(await store.tasks.get('travel', 'T1')).toBeUndefined();
        expect(await store.tasks.get('other', 't1')).toBeUndefined();
      });

      it('lists those of one owner and agent in pages, latest change first', async () => {
        for (let n = 0; n < 7; n += 1) await store.tasks.put({ ...TASK, task: `t${n}`, updatedAt: TASK.updatedAt + Math.floor(n / 3) });
        await store.tasks.put({ ...TASK, task: 'bobs', owner: 'bob' });
        await store.tasks.put({ ...TASK, agent: 'other', task: 'others' });
        await reopen();
        const pages: string[][] = [];
        let before: string | undefined;
        do {
          const page = await store.tasks.list({ agent: 'travel', owner: 'alice', limit: 3, ...(before !== undefined && { before }) });
          expect(page.total).toBe(7);
          pages.push(page.tasks.map(({ task }) => task));
          before = page.next;
        } while (before !== undefined);
        expect(pages).toEqual([['t6', 't5', 't4'], ['t3', 't2', 't1'], ['t0']]);
        expect(await names({ owner: 'bob' })).toEqual(['bobs']);
        for (const text of ['', 'x', '/', '1', '-1/t1', "1' or 1=1 --"]) {
          await expect(names({ before: text })).rejects.toMatchObject({ code: 'bad_request' });
        }
      });

      it('lists by conversation, state and time', async () => {
        await store.tasks.put({ ...TASK, task: 'a', context: 'c1', updatedAt: TASK.updatedAt + 1 });
        await store.tasks.put({ ...TASK, task: 'b', context: 'c2', state: 'TASK_STATE_FAILED', updatedAt: TASK.updatedAt + 2 });
        await store.tasks.put({ ...TASK, task: 'c', context: 'c1', state: 'TASK_STATE_FAILED', updatedAt: TASK.updatedAt + 3 });
        expect(await names({ context: 'c1' })).toEqual(['c', 'a']);
        expect(await names({ state: 'TASK_STATE_FAILED' })).toEqual(['c', 'b']);
        expect(await names({ since: TASK.updatedAt + 2 })).toEqual(['c', 'b']);
        expect(await names({ context: 'c1', state: 'TASK_STATE_FAILED', since: TASK.updatedAt + 4 })).toEqual([]);
        expect(await names({ context: '%' })).toEqual([]);
      });

      it('keeps a conversation with its first owner, and the instance that it was led to last', async () => {
        const at = TASK.updatedAt;
        const claimed = { agent: 'travel', context: 'c1', owner: 'alice', instance: '', updatedAt: at };
        expect(await store.tasks.putContext(claimed)).toEqual({ owner: 'alice', instance: '' });
        expect(await store.tasks.putContext({ ...claimed, instance: 'travel#2' })).toEqual({ owner: 'alice', instance: 'travel#2' });
        await reopen();
        const bobs = { ...claimed, owner: 'bob', instance: 'travel', updatedAt: at + 9 };
        expect(await store.tasks.putContext(bobs)).toEqual({ owner: 'alice', instance: 'travel#2' });
        expect(await store.tasks.putContext({ ...claimed, updatedAt: at + 1 })).toEqual({ owner: 'alice', instance: 'travel#2' });
        expect(await store.tasks.putContext({ ...bobs, agent: 'other' })).toEqual({ owner: 'bob', instance: 'travel' });
        // Only what its owner does keeps it.
        await store.tasks.forget(at + 2);
        expect(await store.tasks.putContext(bobs)).toEqual({ owner: 'bob', instance: 'travel' });
        await store.tasks.forget(at + 9);
        expect(await store.tasks.putContext({ ...claimed, updatedAt: at + 10 })).toEqual({ owner: 'bob', instance: 'travel' });
      });

      it('gives a conversation to one of many who name it at once', async () => {
        const names = [...Array(20).keys()].map((n) => `consumer-${n}`);
        const put = (owner: string) => store.tasks.putContext({ agent: 'travel', context: 'c1', owner, instance: '', updatedAt: 1 });
        const owners = new Set((await Promise.all(names.map(put))).map(({ owner }) => owner));
        expect(owners.size).toBe(1);
      });

      it('knows what the hub itself has not finished', async () => {
        await store.tasks.put({ ...TASK, task: 'relayed' });
        await store.tasks.put({ ...TASK, task: 'later', updatedAt: TASK.updatedAt + 1, content: { n: 2 } });
        await store.tasks.put({ ...TASK, task: 'open', content: null });
        for (const state of ['COMPLETED', 'FAILED', 'CANCELED', 'REJECTED'])
          await store.tasks.put({ ...TASK, task: state, state: `TASK_STATE_${state}`, content: {} });
        await reopen();
        const open = await store.tasks.unfinished('travel');
        expect(open.map(({ task, content }) => [task, content])).toEqual([['open', null], ['later', { n: 2 }]]); // prettier-ignore
        expect(await store.tasks.unfinished('other')).toEqual([]);
      });

      it('keeps hostile names apart', async () => {
        for (const text of HOSTILE) await store.tasks.put({ ...TASK, task: text, context: text, owner: text });
        for (const text of HOSTILE) {
          expect(await store.tasks.get('travel', text)).toMatchObject({ task: text, context: text, owner: text });
          expect(await names({ owner: text, context: text })).toEqual([text]);
          const context = { agent: text, context: text, owner: text, instance: text, updatedAt: 1 };
          expect(await store.tasks.putContext(context)).toEqual({ owner: text, instance: text });
        }
        const { next } = await store.tasks.list({ agent: 'travel', owner: 'nobody', limit: 1 });
        expect(next).toBeUndefined();
      });

      it('keeps where callers want to be told', async () => {
        await store.tasks.putPush(PUSH);
        const { instance: _, ...unplaced } = { ...PUSH, id: 'p2', digest: 'd2', createdAt: PUSH.createdAt + 1 };
        await store.tasks.putPush(unplaced);
        await store.tasks.putPush({ ...PUSH, agent: 'other', digest: 'd3' });
        await reopen();
        expect(await store.tasks.pushByDigest('d1')).toEqual(PUSH);
        expect(await store.tasks.pushes('travel', 't1')).toEqual([PUSH, unplaced]);
        expect(await store.tasks.pushByDigest('D1')).toBeUndefined();
        expect(await store.tasks.deletePush('d1')).toBe(true);
        expect(await store.tasks.deletePush('d1')).toBe(false);
        expect(await store.tasks.pushes('travel', 't1')).toEqual([unplaced]);
      });

      it('replaces a config of the same task and id, but not those that have no task yet', async () => {
        await store.tasks.putPush({ ...PUSH, task: '' });
        await store.tasks.putPush({ ...PUSH, task: '', digest: 'd2' });
        expect(await store.tasks.pushes('travel', '')).toHaveLength(2);
        await store.tasks.putPush(PUSH);
        expect(await store.tasks.pushByDigest('d1')).toEqual(PUSH);
        await store.tasks.putPush({ ...PUSH, digest: 'd2', version: '1.0', config: { url: 'https://other.example' } });
        expect(await store.tasks.pushByDigest('d1')).toBeUndefined();
        expect(await store.tasks.pushes('travel', 't1')).toEqual([
          { ...PUSH, digest: 'd2', version: '1.0', config: { url: 'https://other.example' } },
        ]);
      });

      it('keeps no more configs of a task than it is told', async () => {
        for (const n of [1, 2, 3]) expect(await store.tasks.putPush({ ...PUSH, id: `p${n}`, digest: `d${n}` }, 3)).toBe(true);
        expect(await store.tasks.putPush({ ...PUSH, id: 'p4', digest: 'd4' }, 3)).toBe(false);
        expect(await store.tasks.pushByDigest('d4')).toBeUndefined();
        expect(await store.tasks.putPush({ ...PUSH, id: 'p3', digest: 'd5' }, 3)).toBe(true);
        expect(await store.tasks.putPush({ ...PUSH, id: 'p1', digest: 'd1', version: '1.0' }, 3)).toBe(true);
        expect(await store.tasks.putPush({ ...PUSH, id: 'p4', digest: 'd4', task: 't2' }, 3)).toBe(true);
        expect((await store.tasks.pushes('travel', 't1')).map(({ id }) => id)).toEqual(['p1', 'p2', 'p3']);
        for (const n of [1, 2, 3, 4]) expect(await store.tasks.putPush({ ...PUSH, task: '', digest: `unbound ${n}` }, 3)).toBe(true);
      });

      it('forgets in time, and with a task where its owner is told', async () => {
        await store.tasks.put({ ...TASK, task: 'old' });
        await store.tasks.put({ ...TASK, task: 'new', updatedAt: TASK.updatedAt + 10 });
        await store.tasks.putPush({ ...PUSH, task: 'old', digest: 'old' });
        await store.tasks.putPush({ ...PUSH, task: 'new', digest: 'new' });
        await store.tasks.putPush({ ...PUSH, task: '', digest: 'unbound' });
        await store.tasks.putPush({ ...PUSH, task: '', digest: 'unbound yet', createdAt: PUSH.createdAt + 10 });
        await store.tasks.forget(TASK.updatedAt);
        expect(await names()).toEqual(['new', 'old']);
        await store.tasks.forget(TASK.updatedAt + 10);
        expect(await names()).toEqual(['new']);
        const known = ['old', 'new', 'unbound', 'unbound yet'].map(async (digest) => (await store.tasks.pushByDigest(digest)) && digest);
        expect(await Promise.all(known)).toEqual([undefined, 'new', undefined, 'unbound yet']);
        await store.tasks.delete('travel', 'new');
        await store.tasks.delete('travel', 'new');
        expect(await names()).toEqual([]);
        expect(await store.tasks.pushByDigest('new')).toBeUndefined();
      });
    });

    describe('vectors of texts', () => {
      const DAY = 86_400_000;
      const got = async (model: string, hashes: readonly string[]): Promise<[string, number[]][]> =>
        [...(await store.vectors.get(model, hashes))]
          .map(([hash, vector]): [string, number[]] => [hash, [...vector]])
          .toSorted(([a], [b]) => (a < b ? -1 : 1));

      it('gives back every float as it was put, by model', async () => {
        const vectors = fc.dictionary(fc.uuid(), fc.float32Array({ minLength: 1, maxLength: 8 }));
        await fc.assert(
          fc.asyncProperty(vectors, async (some) => {
            await store.vectors.put('m', new Map(Object.entries(some)));
            const found = await store.vectors.get('m', Object.keys(some));
            for (const [hash, vector] of Object.entries(some)) expect(found.get(hash)).toEqual(vector);
            expect(found.size).toBe(Object.keys(some).length);
          }),
          { numRuns: 20 },
        );
        await store.vectors.put('a', new Map([['h', Float32Array.of(1, -0.5)]]));
        await store.vectors.put('b', new Map([['h', Float32Array.of(2)]]));
        await reopen();
        expect(await got('a', ['h', 'h', 'none'])).toEqual([['h', [1, -0.5]]]);
        expect(await got('b', ['h'])).toEqual([['h', [2]]]);
        expect(await got('c', ['h'])).toEqual([]);
        expect(await got('a', [])).toEqual([]);
      });

      it('replaces, and takes parts of larger memory', async () => {
        const memory = new Float32Array(1000).fill(7);
        await store.vectors.put('m', new Map([['h', memory.subarray(10, 13)]]));
        await store.vectors.put('m', new Map([['h', memory.subarray(20, 22)]]));
        expect(await got('m', ['h'])).toEqual([['h', [7, 7]]]);
      });

      it('takes thousands at once', async () => {
        const many = new Map(Array.from({ length: 1500 }, (_, at) => [`h${at}`, Float32Array.of(at, at / 3)]));
        await store.vectors.put('m', many);
        expect(await store.vectors.get('m', [...many.keys(), 'none'])).toEqual(many);
        time += 3 * DAY;
        await store.vectors.forget(time);
        expect(await got('m', [...many.keys()])).toEqual([]);
      });

      it('keeps hostile names apart', async () => {
        for (const [at, name] of HOSTILE.entries()) {
          await store.vectors.put(name, new Map(HOSTILE.map((hash, index) => [hash, Float32Array.of(at, index)])));
        }
        for (const [at, name] of HOSTILE.entries()) {
          const found = await store.vectors.get(name, HOSTILE);
          expect(HOSTILE.map((hash) => [...(found.get(hash) ?? [])])).toEqual(HOSTILE.map((_, index) => [at, index]));
        }
      });

      it('takes what is no vector for absent', async () => {
        await store.vectors.put('m', new Map([['empty', new Float32Array()]]));
        expect(await got('m', ['empty'])).toEqual([]);
      });

      it('forgets what was neither put, got nor touched since then, a day later at the latest', async () => {
        await store.vectors.put('m', new Map(['put', 'got', 'again', 'touched', 'late'].map((hash) => [hash, Float32Array.of(1)])));
        time += 10 * DAY;
        await store.vectors.get('m', ['got']);
        await store.vectors.put('m', new Map([['again', Float32Array.of(2)]]));
        await store.vectors.touch('m', ['touched', 'absent']);
        await store.vectors.touch('other', ['put']);
        const since = time;
        // Touched a moment ago, so that nothing is written for it; what it is got for counts all the same.
        time += DAY / 2;
        await store.vectors.get('m', ['got']);
        await store.vectors.forget(time);
        expect((await got('m', ['put', 'got', 'again', 'touched', 'absent', 'late'])).map(([hash]) => hash)).toEqual([
          'again',
          'got',
          'touched',
        ]);
        time = since + 3 * DAY;
        await store.vectors.forget(time);
        expect(await got('m', ['got', 'again'])).toEqual([]);
      });
    });

    it('makes one pepper', async () => {
      const pepper = store.pepper();
      expect(pepper).toHaveLength(32);
      await reopen();
      expect(store.pepper().equals(pepper)).toBe(true);
      const other = await makePlace();
      const second = await other.open({ secretKey: SECRET_KEY, now });
      expect(second.pepper().equals(pepper)).toBe(false);
      await second.close();
      await other.remove();
    });

    it('answers what was asked before it is closed, and nothing after', async () => {
      const asked = store.resources.put('k', 'n', { config: 1 });
      await asked;
      await store.close();
      await expect(store.resources.all()).rejects.toThrow(/closed|destroyed/);
      store = await place.open({ secretKey: SECRET_KEY, now });
      expect(await store.resources.all()).toHaveLength(survives ? 1 : 0);
    });

    if (!survives) return;
    it('shows no secret at rest and opens with the right key only', async () => {
      await store.resources.put('services', 'a', { config: {}, secrets: new Map([['/auth', 'canary-secret-value']]) });
      await store.tasks.putPush(PUSH);
      const pepper = store.pepper();
      await store.close();
      const bytes = await place.atRest();
      for (const canary of ['canary-path', 'canary-token', 'canary-credentials']) expect(bytes.includes(canary)).toBe(false);
      for (const spelling of ['utf8', 'base64', 'base64url', 'hex'] as const) {
        expect(bytes.includes(Buffer.from('canary-secret-value').toString(spelling).replace(/=+$/, '').slice(0, -2))).toBe(false);
        expect(bytes.includes(spelling === 'utf8' ? pepper : pepper.toString(spelling).slice(0, -2))).toBe(false);
      }
      await expect(place.open({ secretKey: Buffer.alloc(32, 8), now })).rejects.toThrow(/HUBGATE_SECRET_KEY/);
      store = await place.open({ secretKey: SECRET_KEY, now });
      expect((await store.resources.all())[0]?.secrets.get('/auth')).toBe('canary-secret-value');
    });
  });
}
