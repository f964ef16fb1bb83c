import fc from 'fast-check';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Embedder } from '../../../../src/core/contracts/embedder.ts';
import type { Findable, Found } from '../../../../src/core/contracts/semantics.ts';
import { GatewayError } from '../../../../src/core/errors.ts';
import { createTextIndex } from '../../../../src/embedding/index/text-index.ts';
import { TextVectors } from '../../../../src/embedding/index/text-vectors.ts';
import { memoryVectors, silent } from '../../../support/static-semantics.ts';
import { FakeLadder, letterEmbedder, rungOf } from './fake-ladder.ts';

const TOOLS: readonly Findable[] = [
  { name: 'findPets', description: 'Finds pets by their tags', words: ['tags', '/pets'] },
  { name: 'addPet', description: 'Adds a pet to the store' },
  { name: 'getInvoice', description: 'Gets an invoice', examples: ['what do I owe you', 'show my bill'] },
  { name: 'sendMail', description: 'Sends an electronic letter to somebody' },
];
const texts = (): TextVectors => new TextVectors({ store: memoryVectors(), log: silent });
const names = ({ hits }: Found, of: readonly Findable[] = TOOLS): string[] => hits.map(({ index }) => of[index]!.name);

describe('search by words alone', () => {
  const index = createTextIndex(TOOLS, new FakeLadder(), texts());

  it('finds the texts that have the words, with evidence', async () => {
    const found = await index.find('find me some pets', 8);
    expect(names(found)).toEqual(['findPets', 'addPet']);
    expect(found.hits[0]).toMatchObject({ index: 0, words: ['find', 'pet'] });
    expect(found.hits[0]!.lexical).toBeGreaterThan(found.hits[1]!.lexical);
    expect(found.hits[0]).not.toHaveProperty('cosine');
    expect(found).not.toHaveProperty('model');
  });

  it.each(['', '   ', 'zebra', '?!', 'the of and'])('"%s" finds nothing', async (query) => {
    expect((await index.find(query, 8)).hits).toEqual([]);
  });

  it('of top gives no more, and of 0 none', async () => {
    expect((await index.find('pets', 1)).hits).toHaveLength(1);
    expect((await index.find('pets', 0)).hits).toHaveLength(0);
  });

  it('reads the beginning of an endless query', async () => {
    expect(names(await index.find(`invoice ${'zebra '.repeat(100_000)} mail`, 8))).toEqual(['getInvoice']);
  });

  it('an index of nothing finds nothing', async () => {
    expect(await createTextIndex([], new FakeLadder(), texts()).find('pets', 8)).toEqual({ hits: [] });
  });
});

describe('search by words and meaning', () => {
  it('names the model and the cosine, and finds by an example what it is an example of', async () => {
    const index = createTextIndex(TOOLS, new FakeLadder(rungOf('static', letterEmbedder('letters@1'))), texts());
    const found = await index.find('show my bill', 2);
    expect(found.model).toBe('letters@1');
    expect(names(found)[0]).toBe('getInvoice');
    expect(found.hits[0]!.score).toBeCloseTo(1, 5);
    // The example is the query itself, and counts for half.
    expect(found.hits[0]!.cosine).toBeGreaterThan(0.5);
    expect(found.hits[0]!.cosine).toBeLessThan(0.99);
  });

  it('a query that cannot be embedded is answered by the next rung', async () => {
    const broken = { is: false };
    const ladder = new FakeLadder(rungOf('transformers', letterEmbedder('big@1', broken)), rungOf('static', letterEmbedder('small@1')));
    const index = createTextIndex(TOOLS, ladder, texts());
    await vi.waitFor(async () => expect((await index.find('pets', 2)).model).toBe('big@1'));
    broken.is = true;
    expect((await index.find('pets', 2)).model).toBe('small@1');
    expect(ladder.failures).toEqual([new Error('broken')]);
  });

  it('a query that is refused, or takes too long, is answered by the next rung, and the rung serves others', async () => {
    const plain = letterEmbedder('big@1');
    const waits: (AbortSignal | undefined)[] = [];
    const big: Embedder = {
      ...plain,
      embed: async (given, as, signal) => {
        if (given.includes('poison')) throw new GatewayError('bad_request', 'of one caller');
        if (given.includes('hang')) waits.push(signal);
        return given.includes('hang') ? new Promise(() => {}) : plain.embed(given, as);
      },
    };
    const ladder = new FakeLadder(rungOf('transformers', big), rungOf('static', letterEmbedder('small@1')));
    const index = createTextIndex(TOOLS, ladder, texts());
    await vi.waitFor(async () => expect((await index.find('pets', 2)).model).toBe('big@1'));
    expect(await index.find('poison', 2)).toMatchObject({ model: 'small@1', degraded: { reason: 'The model refuses this query.' } });
    expect(await index.find('hang', 2)).toMatchObject({
      model: 'small@1',
      degraded: { reason: expect.stringContaining('longer than 1 s') },
    });
    expect(waits[0]?.aborted).toBe(true);
    const leaving = new AbortController();
    const left = index.find('hang', 2, leaving.signal);
    await vi.waitFor(() => expect(waits).toHaveLength(2));
    leaving.abort(new Error('gone'));
    await expect(left).rejects.toThrow('gone');
    expect(waits[1]?.aborted).toBe(true);
    expect(await index.find('pets', 2)).toMatchObject({ model: 'big@1' });
    expect(ladder.failures).toEqual([]);
  });

  it('a rung that is still embedding lets the lower one answer, and says how far it is', async () => {
    const slow = letterEmbedder('slow@1');
    const gate = Promise.withResolvers<void>();
    const held = { ...slow, embed: async (...args: Parameters<typeof slow.embed>) => (await gate.promise, slow.embed(...args)) };
    const index = createTextIndex(
      TOOLS,
      new FakeLadder(rungOf('transformers', held), rungOf('static', letterEmbedder('small@1'))),
      texts(),
    );
    expect(await index.find('pets', 2)).toMatchObject({
      model: 'small@1',
      degraded: { active: 'static', reason: 'it is embedding 0 of 6 texts' },
    });
    gate.resolve();
    await vi.waitFor(async () => expect(await index.find('pets', 2)).toMatchObject({ model: 'slow@1' }));
    expect(await index.find('pets', 2)).not.toHaveProperty('degraded');
  });

  it('a rung that fails while it embeds is reported once, and taken up when it works again', async () => {
    const broken = { is: true };
    const rung = rungOf('transformers', letterEmbedder('big@1', broken));
    const ladder = new FakeLadder(rung);
    const index = createTextIndex(TOOLS, ladder, texts());
    await vi.waitFor(() => expect(ladder.failures).toHaveLength(1));
    expect(await index.find('pets', 1)).not.toHaveProperty('model');
    broken.is = false;
    ladder.change(rung);
    await vi.waitFor(async () => expect((await index.find('pets', 1)).model).toBe('big@1'));
    expect(ladder.failures).toHaveLength(1);
  });
});

describe('the ranking', () => {
  const word = fc.constantFrom('pet', 'order', 'invoice', 'create', 'delete', 'list', 'user', 'weather', 'city', 'mail');
  const sentence = fc.array(word, { minLength: 1, maxLength: 6 }).map((words) => words.join(' '));
  const findable = fc.record({ name: sentence, description: sentence });
  const catalog = fc.uniqueArray(findable, { minLength: 1, maxLength: 12, selector: ({ name, description }) => `${name}|${description}` });
  const rung = rungOf('static', letterEmbedder('letters@1'));
  const found = async (of: readonly Findable[], query: string, vectors = texts()): Promise<unknown[]> => {
    const { hits } = await createTextIndex(of, new FakeLadder(rung), vectors).find(query, 5);
    return hits.map(({ index, ...hit }) => ({ ...of[index], ...hit }));
  };

  it('does not hang on the order of the texts', async () => {
    await fc.assert(
      fc.asyncProperty(
        catalog.chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }))),
        sentence,
        async ([all, shuffled], query) => {
          expect(await found(shuffled, query)).toEqual(await found(all, query));
        },
      ),
      { numRuns: 40 },
    );
  });

  it('does not hang on texts that are not in the index, whatever other indexes share the vectors', async () => {
    await fc.assert(
      fc.asyncProperty(catalog, catalog, sentence, async (hidden, visible, query) => {
        const shared = texts();
        await found([...hidden, ...visible], query, shared);
        expect(await found(visible, query, shared)).toEqual(await found(visible, query));
      }),
      { numRuns: 40 },
    );
  });

  it('has scores from 0 to 1, best first, and each hit shares a word or a meaning', async () => {
    await fc.assert(
      fc.asyncProperty(catalog, fc.oneof(sentence, fc.string({ unit: 'binary' })), async (all, query) => {
        const hits = (await found(all, query)) as { score: number; words: string[]; lexical: number; cosine: number }[];
        for (const [at, { score, words, lexical, cosine }] of hits.entries()) {
          expect(score).toBeGreaterThanOrEqual(0);
          expect(score).toBeLessThanOrEqual(1 + 1e-6);
          expect(words.length > 0).toBe(lexical > 0);
          expect(words.length > 0 || cosine > 0).toBe(true);
          if (at > 0) expect(score).toBeLessThanOrEqual(hits[at - 1]!.score);
        }
      }),
      { numRuns: 40 },
    );
  });
});

describe('texts that are none', () => {
  const odd = [
    { name: 'odd', description: null, words: 'none', examples: 7 },
    { name: undefined, description: 'pets', words: [null], examples: [{}] },
    ...TOOLS,
  ] as unknown as readonly Findable[];

  it('are found by what they have, beside the others', async () => {
    const index = createTextIndex(odd, new FakeLadder(rungOf('static', letterEmbedder('letters@1'))), texts());
    expect((await index.find('pets', 9)).hits.map(({ index: at }) => at)).toEqual(expect.arrayContaining([1, 2, 3]));
  });

  it('an index that cannot be built harms nobody but who searches it', async () => {
    const unhandled = vi.fn<(error: unknown) => void>();
    process.on('unhandledRejection', unhandled);
    onTestFinished(() => void process.off('unhandledRejection', unhandled));
    const index = createTextIndex([null as never], new FakeLadder(), texts());
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(unhandled).not.toHaveBeenCalled();
    await expect(index.find('pets', 1)).rejects.toThrow('null');
  });
});

describe('what an index keeps', () => {
  it('a ladder that outlives it holds nothing of it but a listener that does nothing', async () => {
    const ladder = new FakeLadder();
    const { setFlagsFromString } = await import('node:v8');
    setFlagsFromString('--expose-gc');
    const collect = (await import('node:vm')).runInNewContext('gc') as () => void;
    await (async () => void (await createTextIndex([...TOOLS], ladder, texts()).find('pets', 1)))();
    expect(ladder.listeners.size).toBe(1);
    await vi.waitFor(
      () => {
        collect();
        expect(ladder.listeners.size).toBe(0);
      },
      { timeout: 10_000 },
    );
  });
});
