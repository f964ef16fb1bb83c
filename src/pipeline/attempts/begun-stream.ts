/**
 * Waits for the first chunk of a stream that `begins` it and gives the stream with all that came until then. Throws what the source throws. Its promises
 * are passed on as they are: nothing is added for a chunk.
 */
export async function begun<T>(source: AsyncIterable<T>, begins: (chunk: T) => boolean = () => true): Promise<AsyncIterableIterator<T>> {
  const steps = source[Symbol.asyncIterator]();
  const first: IteratorResult<T>[] = [];
  for (;;) {
    const step = await steps.next();
    first.push(step);
    if (step.done === true || begins(step.value)) return new BegunStream(first, steps);
  }
}

class BegunStream<T> implements AsyncIterableIterator<T> {
  readonly #first: IteratorResult<T>[];
  readonly #rest: AsyncIterator<T>;

  constructor(first: IteratorResult<T>[], rest: AsyncIterator<T>) {
    this.#first = first;
    this.#rest = rest;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<T>> {
    const first = this.#first.shift();
    return first === undefined ? this.#rest.next() : Promise.resolve(first);
  }

  async return(): Promise<IteratorResult<T>> {
    await this.#rest.return?.();
    return { done: true, value: undefined };
  }
}
