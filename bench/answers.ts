/** Judges what comes on one connection. */
export interface Answers {
  /** For each answer that these bytes end: what is wrong with it, undefined when nothing is. Throws on what is no HTTP. */
  push(bytes: Buffer, ask: Ask): readonly (string | undefined)[];
}

/** The request that is under way: its id if it has one, and when it was sent on `clockMs`. */
export interface Ask {
  readonly id: string | undefined;
  readonly at: number;
}
