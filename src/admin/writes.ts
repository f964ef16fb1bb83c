import type { AdminHub, ReloadResult } from './hub.ts';
import { fieldError, Refusal } from './problem.ts';

/** A change of the store that has been made, and the way back. */
export interface Change<T> {
  readonly value: T;
  undo(): Promise<void>;
}

/** Changes of the store, one after the other: each is served when it is done, or the store is as it was. */
export class Writes {
  readonly #hub: AdminHub;
  #last: Promise<unknown> = Promise.resolve();

  constructor(hub: AdminHub) {
    this.#hub = hub;
  }

  /**
   * Makes a change and resolves with its value when the new generation serves it.
   * @throws Refusal with the problems: `refusedAs` when the change is why the configuration was refused, `conflict` when it was refused before.
   */
  run<T>(change: () => Promise<Change<T>>, refusedAs: 'bad_request' | 'conflict' = 'bad_request'): Promise<T> {
    return this.between(() => this.#run(change, refusedAs));
  }

  /** Does what needs no reload when no change is under way. */
  between<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => {});
    return done;
  }

  async #run<T>(change: () => Promise<Change<T>>, refusedAs: 'bad_request' | 'conflict'): Promise<T> {
    const wasRefused = !this.#hub.status().config.ok;
    const { value, undo } = await change();
    let result: ReloadResult;
    try {
      result = await this.#hub.reload();
    } catch (error) {
      await undo();
      throw error;
    }
    if (result.ok) return value;
    await undo();
    // Without this the status would go on telling of a change that is no longer there.
    await this.#hub.reload();
    const errors = result.problems.map(fieldError);
    if (wasRefused)
      throw new Refusal('conflict', 'The files of the configuration are not valid, so nothing can be changed. Correct them first.', {
        errors,
      });
    throw new Refusal(refusedAs, 'The configuration with this change is not valid, so it was not made.', { errors });
  }
}
