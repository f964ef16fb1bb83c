/** What lanes and policies are lent to work with meaning: embeddings computed in the process, and what is made of them. Nothing here leaves the machine unless the operator chose a model that does. */
export interface Semantics {
  /**
   * Indexes texts for search by words and meaning. Texts that were indexed before, by their content, are not embedded again. Cheap to make: the work
   * is done in the background, and whoever searches before it is done is answered by what is there. Callers keep the index while the texts stay.
   */
  index(texts: readonly Findable[], options?: IndexOptions): TextIndex;
  /** Vectors of the model that is asked for, or of the next rung. Rejects with GatewayError `unavailable` when there is no model at all. */
  embed(texts: readonly string[], options?: UseOptions): Promise<Embedded>;
  /** Learns from examples, in the background; cheap when the same was learnt before. */
  classifier(classes: readonly ClassExamples[], options?: ClassifierOptions): Classifier;
}

export interface UseOptions {
  /** As `embedding.model` takes it; that one when absent. */
  readonly model?: string | undefined;
}

/** Whether a model is named by its place on this machine. Only files may do so: whoever may change the store may not look around in folders. */
export function isModelPath(model: string): boolean {
  return /^\.{0,2}\//.test(model);
}

/** A thing that can be found: a tool, an agent's skill. */
export interface Findable {
  readonly name: string;
  readonly description: string;
  /** Further words to be found by: names and descriptions of parameters, path, tags. They are not embedded. */
  readonly words?: readonly string[];
  /** Requests that this is the answer to. Each is embedded beside name and description; half of the cosine is that of the best of them all. */
  readonly examples?: readonly string[];
}

export interface IndexOptions extends UseOptions {
  /** The texts come from callers, who may send others each time: their vectors are kept in memory while the index is, and not stored. Default: false. */
  readonly passing?: boolean;
}

export interface TextIndex {
  readonly size: number;
  /**
   * The best `top` of the texts, best first. Never rejects because of a model: the next rung answers, down to words alone. Rejects with the reason of
   * `signal` when that ends the wait for a model.
   */
  find(query: string, top: number, signal?: AbortSignal): Promise<Found>;
}

export interface Found {
  /** No text without a word or a meaning in common with the query is among them. */
  readonly hits: readonly Hit[];
  /** Only when the rung that was asked for is not the one that answered; `auto` is never degraded by `static` (DESIGN 2.2). */
  readonly degraded?: Degraded;
  /** The id of the model that answered; absent for words alone. */
  readonly model?: string;
}

export interface Hit {
  /** Of the text in the index. */
  readonly index: number;
  /** From 0 to 1, by words and meaning together; comparable inside one answer only. */
  readonly score: number;
  /** Evidence: words of the query that the text has, in their stems. */
  readonly words: readonly string[];
  /** Evidence: the score by words alone (BM25). */
  readonly lexical: number;
  /** Evidence: the cosine to the query, half of it that of the best example where there are any; absent for words alone. */
  readonly cosine?: number;
}

/** The ladder of embeddings: `transformers` and `remote` above `static` above `bm25`, or an extension's name. */
export interface Degraded {
  readonly requested: string;
  readonly active: string;
  /** For a person, with what to do. */
  readonly reason: string;
}

export interface Embedded {
  readonly vectors: readonly Float32Array[];
  /** The id of the model: vectors of different ids are never compared, and thresholds are tuned for each. */
  readonly model: string;
  /** The cosine at and above which two requests may share an answer, as measured for this model. */
  readonly sameRequest: number;
  readonly degraded?: Degraded;
}

export interface ClassExamples {
  readonly name: string;
  readonly examples: readonly string[];
  /** Below this score a text is none of the class; tuned from the examples when absent. From 0 to 1. */
  readonly threshold?: number;
}

export interface ClassifierOptions extends UseOptions {
  /** Texts that belong to no class, for tuning. */
  readonly none?: readonly string[];
  /** When it aborts, nothing more is learnt: what was answers on. */
  readonly signal?: AbortSignal;
}

export interface Classifier {
  /** Resolves to undefined while nothing is learnt yet, and when there is nothing to learn with. */
  classify(text: string): Promise<Verdict | undefined>;
  /** Resolves when everything that can be learnt now is learnt. */
  ready(): Promise<void>;
}

export interface Verdict {
  /** Absent when the text is none of the classes. */
  readonly name?: string;
  /** Best first, at most five; from 0 to 1. */
  readonly scores: readonly { readonly name: string; readonly score: number; readonly threshold: number }[];
  /** Which scorer it was: `linear` or `centroid`. */
  readonly scorer: string;
  /** The id of the model; absent for words alone. */
  readonly model?: string;
  readonly degraded?: Degraded;
}

/** One model that is asked for, as status shows it. */
export interface SemanticStatus {
  /** As the configuration names it. */
  readonly requested: string;
  /** The rung that answers now. */
  readonly active: string;
  /** The id of its model; absent for words alone. */
  readonly model?: string;
  readonly dims?: number;
  readonly degraded: boolean;
  /** Why no higher rung answers, in words that say what to do. */
  readonly reason?: string;
}
