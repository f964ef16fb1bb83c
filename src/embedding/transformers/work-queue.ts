import type { EmbeddedAs } from '../../core/contracts/embedder.ts';

/** Texts that somebody waits for. */
export interface Job {
  readonly id: number;
  readonly as: EmbeddedAs;
  readonly texts: readonly string[];
}

/** One text of a job. */
export interface Piece {
  readonly job: Job;
  readonly place: number;
}

/** What waits for the model: queries before documents, also before the rest of a job that has begun, and of each in the order in which they came. */
export class WorkQueue {
  readonly #waiting: Readonly<Record<EmbeddedAs, { readonly job: Job; next: number }[]>> = { query: [], document: [] };

  add(job: Job): void {
    if (job.texts.length > 0) this.#waiting[job.as].push({ job, next: 0 });
  }

  next(): Piece | undefined {
    const jobs = this.#waiting.query.length > 0 ? this.#waiting.query : this.#waiting.document;
    const [first] = jobs;
    if (first === undefined) return undefined;
    const piece = { job: first.job, place: first.next };
    first.next += 1;
    if (first.next === first.job.texts.length) jobs.shift();
    return piece;
  }

  /** Whether something is left of the job. */
  holds({ id, as }: Pick<Job, 'id' | 'as'>): boolean {
    return this.#waiting[as].some(({ job }) => job.id === id);
  }

  /** Drops what is left of a job. */
  drop({ id, as }: Pick<Job, 'id' | 'as'>): void {
    const jobs = this.#waiting[as];
    const at = jobs.findIndex(({ job }) => job.id === id);
    if (at !== -1) jobs.splice(at, 1);
  }
}
