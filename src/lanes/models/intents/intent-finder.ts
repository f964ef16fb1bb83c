import { hash } from 'node:crypto';
import type { HubConfig } from '../../../config/types.ts';
import type { Classifier, Semantics, Verdict } from '../../../core/contracts/semantics.ts';
import { fingerprint } from '../../../core/secret.ts';

export type IntentSettings = Pick<HubConfig, 'intents' | 'intentRouting'>;

/** What is known of a text. Without a verdict `reason` says why there is none. */
export type FoundIntent =
  | { readonly verdict: Verdict; readonly tookMs: number; readonly reason?: never }
  | { readonly verdict?: never; readonly tookMs: number; readonly reason: string };

const TIMEOUT_MS = 100;
/** Milliseconds after which a generation begins to learn, so that a check of the configuration does not. */
const BEGIN_AFTER_MS = 100;
/** Verdicts that are kept: the calls of one conversation ask the same again and again. */
const MOST_KEPT = 1_000;
/** Milliseconds for which a verdict is kept: a better model may have learnt meanwhile. */
const KEEP_MS = 300_000;
/** Texts that may wait for a model. With more of them none would be in time. */
const MOST_WAITING = 64;

interface Kept {
  readonly until: number;
  readonly verdict: Promise<Verdict | undefined>;
}

/** Finds what texts are about, by the examples of the configuration. It never fails: without a verdict calls take the routes that ask for no intent. */
export class IntentFinder {
  /** Intents are found, and no route is taken by them. */
  readonly isShadow: boolean;
  readonly fingerprint: string;
  readonly #settings: IntentSettings;
  readonly #semantics: Semantics;
  readonly #timeoutMs: number;
  /** By the hash of the text; the one that was asked for longest ago is first. */
  readonly #kept = new Map<string, Kept>();
  /** That of the settings before: asked until this one has learnt. */
  #before: IntentFinder | undefined;
  #classifier: Classifier | undefined;
  readonly #ended = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #waiting = 0;

  constructor(settings: IntentSettings, semantics: Semantics, before?: IntentFinder) {
    const { mode, timeout = TIMEOUT_MS } = settings.intentRouting ?? {};
    this.isShadow = mode === 'shadow';
    this.fingerprint = fingerprintOf(settings);
    this.#settings = settings;
    this.#semantics = semantics;
    this.#timeoutMs = timeout;
    // One that may still be learning leads to one that has learnt.
    this.#before = before === undefined ? undefined : (before.#before ?? before);
  }

  /** Begins to learn in a moment. */
  begin(): void {
    this.#timer ??= setTimeout(() => this.#learning(), BEGIN_AFTER_MS).unref();
  }

  /** Nothing more is learnt. */
  end(): void {
    clearTimeout(this.#timer);
    this.#ended.abort();
  }

  /** What a text is about, if that can be told in the time that the configuration gives, or in that of the caller. */
  async find(text: string, timeoutMs = this.#timeoutMs): Promise<FoundIntent> {
    const begun = performance.now();
    const since = (): number => performance.now() - begun;
    const asked = this.#ask(text);
    if (asked === undefined) return { tookMs: since(), reason: `${MOST_WAITING} texts wait for the model` };
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(resolve, timeoutMs, 'late');
    });
    const verdict = await Promise.race([asked, late]);
    clearTimeout(timer);
    if (verdict === 'late') return { tookMs: since(), reason: `it was not found in ${timeoutMs} ms` };
    return verdict === undefined ? { tookMs: since(), reason: 'the examples are not learnt yet' } : { tookMs: since(), verdict };
  }

  /** Resolves when everything is learnt that can be, or the time is over. */
  async ready(timeoutMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise((resolve) => {
      timer = setTimeout(resolve, timeoutMs);
    });
    await Promise.race([this.#learning().ready(), late]);
    clearTimeout(timer);
  }

  /** Undefined when too many wait. */
  #ask(text: string): Promise<Verdict | undefined> | undefined {
    const key = hash('sha256', text);
    const kept = this.#kept.get(key);
    this.#kept.delete(key);
    if (kept !== undefined && kept.until > Date.now()) {
      this.#kept.set(key, kept);
      return kept.verdict;
    }
    if (this.#waiting >= MOST_WAITING) return undefined;
    this.#waiting += 1;
    const verdict = this.#classify(text).then(({ own, found }) => {
      this.#waiting -= 1;
      if (!own) this.#kept.delete(key);
      return found;
    });
    this.#kept.set(key, { until: Date.now() + KEEP_MS, verdict });
    if (this.#kept.size > MOST_KEPT) this.#kept.delete(this.#kept.keys().next().value!);
    return verdict;
  }

  /** By what was learnt before where nothing is learnt yet: `own` is false then. */
  async #classify(text: string): Promise<{ readonly own: boolean; readonly found: Verdict | undefined }> {
    // What went wrong is told by the status of the model.
    const found = await this.#learning()
      .classify(text)
      .catch(() => undefined);
    if (found !== undefined) {
      this.#before = undefined;
      return { own: true, found };
    }
    const earlier = this.#before === undefined ? undefined : await this.#before.#ask(text);
    return { own: false, found: earlier && this.#known(earlier) };
  }

  /** What is left of an earlier verdict without the intents that are gone; undefined when nothing is. */
  #known({ name, scores, ...verdict }: Verdict): Verdict | undefined {
    const { intents = {} } = this.#settings;
    const known = scores.filter((one) => Object.hasOwn(intents, one.name));
    if (known.length === 0) return undefined;
    return { ...verdict, scores: known, ...(name !== undefined && Object.hasOwn(intents, name) ? { name } : {}) };
  }

  #learning(): Classifier {
    const { intents = {}, intentRouting: { model, none } = {} } = this.#settings;
    return (this.#classifier ??= this.#semantics.classifier(
      Object.entries(intents).map(([name, { examples, threshold }]) => ({
        name,
        examples,
        ...(threshold === undefined ? {} : { threshold }),
      })),
      { signal: this.#ended.signal, ...(model === undefined ? {} : { model }), ...(none === undefined ? {} : { none }) },
    ));
  }
}

function fingerprintOf({ intents, intentRouting }: IntentSettings): string {
  return fingerprint([intents, intentRouting]);
}

/** That of the generation before where nothing has changed, or one that asks it until it has learnt itself; undefined without intents. */
export function intentFinder(settings: IntentSettings, semantics: Semantics, before: IntentFinder | undefined): IntentFinder | undefined {
  if (Object.keys(settings.intents ?? {}).length === 0) return undefined;
  return before?.fingerprint === fingerprintOf(settings) ? before : new IntentFinder(settings, semantics, before);
}
