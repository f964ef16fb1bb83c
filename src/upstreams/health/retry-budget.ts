/** In twentieths of a retry, so that sums stay exact. */
const RETRY = 20;
const PUT_BY = 3;
const AT_START = 3 * RETRY;
const MOST = 10 * RETRY;

/**
 * Keeps retries from making a storm worse: less than one for five calls. Three are there from the start, and with what each call puts by they stay
 * below a fifth once there were sixty calls.
 */
export class RetryBudget {
  #left = AT_START;

  /** A call makes its first attempt: a part of a retry is put by, up to ten retries in all. */
  first(): void {
    this.#left = Math.min(MOST, this.#left + PUT_BY);
  }

  /** Takes one retry, or says that there is none. */
  spend(): boolean {
    if (this.#left < RETRY) return false;
    this.#left -= RETRY;
    return true;
  }
}
