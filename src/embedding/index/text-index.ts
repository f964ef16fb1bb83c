import type { Findable, Found, Hit, TextIndex } from '../../core/contracts/semantics.ts';
import type { Ladder, Rung } from '../rung.ts';
import { refusesTexts } from '../refuses-texts.ts';
import { analyse } from '../text/analysis.ts';
import { splitIdentifiers } from '../text/split-identifiers.ts';
import { subQueries } from '../text/sub-queries.ts';
import { wordsOf } from '../text/words-of.ts';
import { bestTexts } from './best-texts.ts';
import { embedInTime } from './embed-in-time.ts';
import { Holdings, rowsOf } from './holdings.ts';
import { scoreTexts, type Asked } from './score-texts.ts';
import { Slice } from './slice.ts';
import type { TextVectors } from './text-vectors.ts';
import { WordIndex } from './word-index.ts';

/** Characters of a query that are read: more do not say better what is looked for. */
const LONGEST_QUERY = 2000;
/** Milliseconds that a search waits for the first model, while the hub starts. */
const PATIENCE_MS = 1000;
/** Milliseconds that a search waits for the vectors of its query, before the next rung answers. */
const QUERY_MS = 1000;
/** The rung whose vectors come so quickly that a search waits for them. */
const QUICK = 'static';

const released = new FinalizationRegistry<Holdings>((holdings) => holdings.release());

/** An index over the texts that gets ready in the background. Whoever lets go of it need not say so: what it held is given back when it is collected. */
export function createTextIndex(texts: readonly Findable[], ladder: Ladder, vectors: TextVectors): TextIndex {
  const holdings = new Holdings(ladder, vectors);
  const index = new LadderIndex(texts, ladder, holdings);
  // The ladder must not keep the index: a listener that kept it would keep it for as long as there is a ladder.
  const weak = new WeakRef(holdings);
  holdings.stop = ladder.onChange(() => weak.deref()?.takeUp());
  released.register(index, holdings);
  return index;
}

interface Query extends Asked {
  readonly text: string;
}

class LadderIndex implements TextIndex {
  readonly #texts: readonly Findable[];
  readonly #ladder: Ladder;
  readonly #holdings: Holdings;
  readonly #words: Promise<WordIndex>;
  readonly #building = new Slice('background');

  constructor(texts: readonly Findable[], ladder: Ladder, holdings: Holdings) {
    this.#texts = texts;
    this.#ladder = ladder;
    this.#holdings = holdings;
    this.#words = prepare(texts, holdings, this.#building);
    // Nobody may ever search: whoever does is told.
    this.#words.catch(() => undefined);
  }

  get size(): number {
    return this.#texts.length;
  }

  async find(query: string, top: number, signal?: AbortSignal): Promise<Found> {
    const queries = readQuery(query);
    this.#building.hurry();
    const words = await this.#words;
    await this.#firstVectors();
    /** Why each cannot say what this query means. */
    const without = new Map<Rung, string | undefined>();
    for (;;) {
      const active = this.#ladder.rungs.find((rung) => !without.has(rung) && this.#isComplete(rung));
      const asked = active === undefined ? queries : await this.#embed(queries, active, signal);
      if (!Array.isArray(asked)) {
        without.set(active!, asked);
        continue;
      }
      const degraded = this.#ladder.degraded(active, this.#progressAbove(active, without));
      return {
        hits: top < 1 ? [] : await this.#hits(asked, words, active, top),
        ...(degraded === undefined ? {} : { degraded }),
        ...(active === undefined ? {} : { model: active.embedder.id }),
      };
    }
  }

  #isComplete(rung: Rung): boolean {
    return this.#holdings.of(rung.embedder.id)?.lease.isComplete ?? false;
  }

  /** Resolves when a model can answer that was quick to come, or none will. */
  async #firstVectors(): Promise<void> {
    if (this.#ladder.rungs.length === 0) await anyRung(this.#ladder);
    const { rungs } = this.#ladder;
    const quick = rungs.find(({ name }) => name === QUICK);
    if (quick !== undefined && !rungs.some((rung) => this.#isComplete(rung))) await this.#holdings.of(quick.embedder.id)?.lease.settled;
  }

  #progressAbove(active: Rung | undefined, without: ReadonlyMap<Rung, string | undefined>): string | undefined {
    for (const rung of this.#ladder.rungs) {
      if (rung === active) return undefined;
      const why = without.get(rung);
      if (why !== undefined) return why;
      const lease = this.#holdings.of(rung.embedder.id)?.lease;
      if (lease?.isComing) return `it is embedding ${shown(lease.done)} of ${shown(lease.total)} texts`;
    }
    return undefined;
  }

  /** Why it has no vectors, where that is of this query alone; undefined when the rung's embedder failed: the ladder knows then. */
  async #embed(queries: readonly Query[], rung: Rung, signal: AbortSignal | undefined): Promise<Query[] | string | undefined> {
    try {
      const texts = queries.map(({ text }) => splitIdentifiers(text));
      const vectors = await embedInTime(texts, rung.embedder, QUERY_MS, signal);
      if (vectors === 'late') return `The model took longer than ${QUERY_MS / 1000} s for this query.`;
      return queries.map((query, at) => ({ ...query, vector: vectors[at]! }));
    } catch (error) {
      signal?.throwIfAborted();
      if (refusesTexts(error)) return 'The model refuses this query.';
      this.#ladder.failed(rung, error);
      return undefined;
    }
  }

  async #hits([whole, ...parts]: readonly Query[], words: WordIndex, active: Rung | undefined, top: number): Promise<Hit[]> {
    if (whole === undefined || this.size === 0) return [];
    const held = active === undefined ? undefined : this.#holdings.of(active.embedder.id);
    const { owners } = this.#holdings;
    const meaning =
      held === undefined ? undefined : { ...held, weight: active!.traits.weight, ...(owners === undefined ? {} : { owners }) };
    const { total, lexical, cosine, nearest } = await scoreTexts([whole, ...parts], words, meaning, new Slice('search'));
    const noise = held?.model.noise ?? 0;
    const says = (text: number): boolean => lexical[text]! > 0 || (nearest !== undefined && nearest[text]! > noise);
    return bestTexts(total, top, says, (one, other) => byContent(this.#texts[one]!, this.#texts[other]!)).map((index) => ({
      index,
      score: total[index]!,
      words: whole.words.filter((word) => words.has(index, word)),
      lexical: lexical[index]!,
      ...(cosine === undefined ? {} : { cosine: cosine[index]! }),
    }));
  }
}

/** Begins to get vectors, most of which are stored, and works the words out meanwhile. Holds the texts, not the index. */
async function prepare(texts: readonly Findable[], holdings: Holdings, slice: Slice): Promise<WordIndex> {
  await slice.next();
  holdings.begin(await rowsOf(texts, slice));
  return WordIndex.build(wordsOfEach(texts), slice);
}

function* wordsOfEach(texts: readonly Findable[]): Generator<string> {
  for (const text of texts) yield analyse(text).words;
}

/** The request and its parts; none for one that says nothing. */
function readQuery(query: string): Query[] {
  const text = query.slice(0, LONGEST_QUERY).trim();
  if (text === '') return [];
  return [text, ...subQueries(text)].map((part) => ({ text: part, words: [...new Set(wordsOf(part))] }));
}

/** Resolves when the ladder has a rung, or will have none for now. */
async function anyRung(ladder: Ladder): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const stop = ladder.onChange(resolve);
  const timer = setTimeout(resolve, PATIENCE_MS);
  void ladder.settled().then(resolve, resolve);
  await promise;
  clearTimeout(timer);
  stop();
}

function byContent(one: Findable, other: Findable): number {
  if (one.name !== other.name) return one.name < other.name ? -1 : 1;
  if (one.description !== other.description) return one.description < other.description ? -1 : 1;
  return 0;
}

const shown = (count: number): string => count.toLocaleString('en');
