import net from 'node:net';
import { text } from 'node:stream/consumers';
import type { Answers, Ask } from './answers.ts';
import { CallAnswers } from './call-answers.ts';
import { clockMs } from './clock.ts';
import { busySeconds, cpuSeconds, residentMb } from './processes.ts';
import { REQUEST_ID } from './requests.ts';
import { quantile } from './statistics.ts';
import { StreamAnswers } from './stream-answers.ts';

/** What the load client is asked to do, as JSON on its standard input. It prints one `LoadResult` as JSON. */
export interface LoadJob {
  readonly port: number;
  /** Whole requests; connection i sends number i modulo their count. `REQUEST_ID` in one becomes another ten digits each time. */
  readonly requests: readonly string[];
  readonly connections: number;
  readonly warmSeconds: number;
  readonly seconds: number;
  /** Text that a good answer has, besides status 200 and the id of its request. */
  readonly expect: string;
  /** Answers are streams of so many chunks; the connections start one after another over so many milliseconds. */
  readonly stream?: { readonly chunks: number; readonly rampMs: number };
  /** Processes of the server that is measured, and of the service behind it. */
  readonly serverPids: readonly number[];
  readonly upstreamPids: readonly number[];
}

export interface LoadResult {
  /** Whole answers. */
  readonly callsPerSecond: number;
  /** User and system time of the server for each call, of streams for each chunk, in microseconds. */
  readonly cpuMicros: number;
  /** Milliseconds from the request to the end of its answer. */
  readonly p50: number;
  readonly p99: number;
  readonly stream?: StreamResult;
  /** Answers that were wrong, late for the whole window or did not come; of the warm-up too. */
  readonly bad: number;
  readonly firstBad?: string;
  /** Cores that the load client and the service behind used together. Near 1 they were the limit, not the server. */
  readonly clientCores: number;
  /** Cores that other programs used meanwhile. */
  readonly otherCores: number;
  /** Of the server at the end, in MB. */
  readonly residentMb: number;
}

export interface StreamResult {
  readonly chunksPerSecond: number;
  /** Milliseconds that the first chunk took longer than at the upstream itself. */
  readonly firstByte: Quantiles;
  /** Milliseconds from the upstream's write of a chunk to its arrival. */
  readonly transit: Quantiles;
}

export interface Quantiles {
  readonly p50: number;
  readonly p99: number;
}

const AGAIN_MS = 10;

/** Seconds of CPU since each process started; `at` in milliseconds. */
interface Usage {
  readonly at: number;
  readonly server: number;
  readonly client: number;
  readonly busy: number;
}

/** Closed loop: each connection asks again when its answer is there. Counts are those of the window between warm-up and end. */
class Load {
  readonly #job: LoadJob;
  readonly #latencies: number[] = [];
  readonly #firstBytes: number[] = [];
  readonly #transits: number[] = [];
  #isMeasuring = false;
  #isOver = false;
  #bad = 0;
  #firstBad: string | undefined;
  #ids = 0;
  /** When each connection last asked or heard something, 0 while it is not waiting. */
  readonly #heard: Float64Array;

  constructor(job: LoadJob) {
    this.#job = job;
    this.#heard = new Float64Array(job.connections);
  }

  async run(): Promise<LoadResult> {
    const { connections, warmSeconds, seconds, stream: { rampMs } = { rampMs: 0 } } = this.#job;
    for (let i = 0; i < connections; i++) setTimeout(() => this.#connect(i), (rampMs * i) / connections);
    await sleep(Math.max(warmSeconds * 1000, rampMs));
    const before = this.#usage();
    this.#isMeasuring = true;
    await sleep(seconds * 1000);
    const after = this.#usage();
    this.#isMeasuring = false;
    this.#isOver = true;
    for (const heard of this.#heard) if (heard !== 0 && heard < before.at) this.#reject('no answer during the whole window');
    return this.#result(before, after);
  }

  #connect(index: number): void {
    const { port, requests } = this.#job;
    const request = Buffer.from(requests[index % requests.length]!, 'latin1');
    const idAt = request.indexOf(REQUEST_ID);
    const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
    const answers = this.#answers();
    let asked: Ask = { id: undefined, at: 0 };
    const ask = (): void => {
      const id = idAt < 0 ? undefined : String(1_000_000_000 + ++this.#ids);
      if (id !== undefined) request.write(id, idAt, 'latin1');
      asked = { id, at: clockMs() };
      this.#heard[index] = asked.at;
      socket.write(request);
    };
    socket.on('connect', ask);
    socket.on('data', (bytes) => {
      try {
        this.#heard[index] = clockMs();
        for (const problem of answers.push(bytes, asked)) {
          if (this.#isMeasuring) this.#latencies.push(clockMs() - asked.at);
          if (problem !== undefined) this.#reject(problem);
          if (this.#isOver) return;
          ask();
        }
      } catch (error) {
        this.#reject(String(error));
        socket.destroy();
      }
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#heard[index] = 0;
      if (this.#isOver) return;
      this.#reject('the connection was closed');
      setTimeout(() => this.#connect(index), AGAIN_MS);
    });
  }

  #answers(): Answers {
    const { expect, stream } = this.#job;
    if (stream === undefined) return new CallAnswers(expect);
    return new StreamAnswers(expect, stream.chunks, {
      onChunk: (transit) => void (this.#isMeasuring && this.#transits.push(transit)),
      onFirst: (added) => void (this.#isMeasuring && this.#firstBytes.push(added)),
    });
  }

  #reject(what: string): void {
    this.#bad++;
    this.#firstBad ??= what;
  }

  #usage(): Usage {
    const { serverPids, upstreamPids } = this.#job;
    const own = process.cpuUsage();
    const client = cpuSeconds(upstreamPids) + (own.user + own.system) / 1e6;
    return { server: cpuSeconds(serverPids), client, busy: busySeconds(), at: clockMs() };
  }

  #result(before: Usage, after: Usage): LoadResult {
    const seconds = (after.at - before.at) / 1000;
    const server = after.server - before.server;
    const client = after.client - before.client;
    const isStream = this.#job.stream !== undefined;
    const chunksPerSecond = this.#transits.length / seconds;
    return {
      callsPerSecond: this.#latencies.length / seconds,
      cpuMicros: (server * 1e6) / (isStream ? this.#transits.length : this.#latencies.length),
      ...quantiles(this.#latencies),
      ...(isStream ? { stream: { chunksPerSecond, firstByte: quantiles(this.#firstBytes), transit: quantiles(this.#transits) } } : {}),
      bad: this.#bad,
      ...(this.#firstBad === undefined ? {} : { firstBad: this.#firstBad }),
      clientCores: client / seconds,
      otherCores: Math.max(0, (after.busy - before.busy - server - client) / seconds),
      residentMb: residentMb(this.#job.serverPids),
    };
  }
}

function quantiles(values: readonly number[]): Quantiles {
  const sorted = Float64Array.from(values).sort();
  return { p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99) };
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms));

if (import.meta.main) {
  const result = await new Load(JSON.parse(await text(process.stdin)) as LoadJob).run();
  process.stdout.write(JSON.stringify(result), () => process.exit(0));
}
