/** One HTTP request on its way out. `origin` is `http(s)://host[:port]`, or the name of a service inside the process such as `demo:petstore`. */
export interface UpstreamRequest {
  readonly method: string;
  readonly origin: string;
  /** Path with query, already encoded; starts with `/`. */
  readonly path: string;
  /** Lower-case names. A list sends the header several times. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string | Uint8Array | FormData;
  /** Who named the address: `operator` files may reach any address but metadata services and our own ports; `public` must resolve to a public one. */
  readonly trust: 'operator' | 'public';
  /** Milliseconds from sending to the end of the answer. */
  readonly timeoutMs?: number;
  /** Milliseconds until the connection stands. Default 5,000. */
  readonly connectMs?: number;
  /** Milliseconds from sending to the head of the answer; `timeoutMs` bounds it. */
  readonly firstByteMs?: number;
  /** Milliseconds between two pieces of the answer. Default 60,000. */
  readonly idleMs?: number;
  /** Bytes after which the answer is refused. */
  readonly maxBytes?: number;
  /** Asked when the head of an answer is here: how much to take of one that may never end. Undefined takes all of it. */
  taking?(headers: UpstreamResponse['headers']): Taking | undefined;
}

/** How much is taken of one answer; what came by then is the answer. */
export interface Taking {
  /** Milliseconds after the head; the timeout of the request bounds it. */
  readonly ms: number;
  /** Told each piece that came; true when it is enough. */
  isFull(chunk: Buffer): boolean;
}

/** The whole answer, or what was taken of it. Header names are lower case. */
export interface UpstreamResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
  /** The answer had not ended: it was enough, its time was over, or the connection broke. */
  readonly partial?: 'full' | 'time' | 'broken';
}

/** An answer whose body comes piece by piece. Header names are lower case. */
export interface UpstreamStream {
  readonly status: number;
  readonly headers: UpstreamResponse['headers'];
  /** To be read once, by one reader. What is not taken holds the sender back; leaving the loop closes the connection. Throws GatewayError. */
  readonly body: AsyncIterable<Buffer>;
}

/** What calls a request off: an `AbortSignal`, or something lighter of the same shape. */
export interface Cancellation {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: 'abort', listener: { handleEvent(): void }): void;
  removeEventListener(type: 'abort', listener: { handleEvent(): void }): void;
}

/** Puts a credential on a request, once per attempt. `refresh` is set on the attempt that follows a 401. */
export interface RequestSigner {
  sign(request: UpstreamRequest, options: { readonly refresh: boolean }): UpstreamRequest | Promise<UpstreamRequest>;
  /** True when a second attempt after a 401 can differ from the first. */
  readonly refreshable: boolean;
}
