/** What is known of a model beside its weights: how texts are given to it, and how much its vectors weigh. */
export interface ModelTraits {
  /** How vectors of tokens become one. */
  readonly pooling: 'mean' | 'cls';
  readonly queryPrefix: string;
  readonly documentPrefix: string;
  /** The share of the cosine in a search, against words (embeddings.md section 4); from 0 to 1. */
  readonly weight: number;
  /** The cosine at and above which two requests may share an answer; measured, see docs. */
  readonly sameRequest: number;
}
