import net from 'node:net';
import { text } from 'node:stream/consumers';
import { AnswerReader } from './answer-reader.ts';
import { busySeconds, cpuSeconds, residentMb } from './processes.ts';
import { REQUEST_ID } from './requests.ts';
import { quantile } from './statistics.ts';

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
  /** Processes of the server that is measured, and of the service behind it. */
  readonly serverPids: readonly number[];
  readonly upstreamPids: readonly number[];
}

export interface LoadResult {
  readonly callsPerSecond: number;
  /** User and system time of the server for each call, in microseconds. */
  readonly cpuMicros: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
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
  #isMeasuring = false;
  #isOver = false;
  #bad = 0;
  #firstBad: string | undefined;
  #ids = 0;
  /** When each connection last asked, 0 while it is not waiting. */
  readonly #asked: Float64Array;

  constructor(job: LoadJob) {
    this.#job = job;
    this.#asked = new Float64Array(job.connections);
  }

  async run(): Promise<LoadResult> {
    const { connections, warmSeconds, seconds } = this.#job;
    for (let i = 0; i < connections; i++) this.#connect(i);
    await sleep(warmSeconds * 1000);
    const before = this.#usage();
    this.#isMeasuring = true;
    await sleep(seconds * 1000);
    const after = this.#usage();
    this.#isMeasuring = false;
    this.#isOver = true;
    for (const asked of this.#asked) if (asked !== 0 && asked < before.at) this.#reject('no answer during the whole window');
    return this.#result(before, after);
  }

  #connect(index: number): void {
    const { port, requests, expect } = this.#job;
    const request = Buffer.from(requests[index % requests.length]!, 'latin1');
    const idAt = request.indexOf(REQUEST_ID);
    const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
    const reader = new AnswerReader();
    let id = '';
    const ask = (): void => {
      id = String(1_000_000_000 + ++this.#ids);
      if (idAt >= 0) request.write(id, idAt, 'latin1');
      this.#asked[index] = performance.now();
      socket.write(request);
    };
    const isGood = (status: number, body: Buffer): boolean => {
      if (status !== 200) return false;
      const text = body.toString('latin1');
      return text.includes(expect) && (idAt < 0 || text.includes(id));
    };
    socket.on('connect', ask);
    socket.on('data', (bytes) => {
      try {
        for (const { status, body } of reader.push(bytes)) {
          if (this.#isMeasuring) this.#latencies.push(performance.now() - this.#asked[index]!);
          if (!isGood(status, body)) this.#reject(`${status} ${body.toString('latin1', 0, 200)}`);
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
      this.#asked[index] = 0;
      if (this.#isOver) return;
      this.#reject('the connection was closed');
      setTimeout(() => this.#connect(index), AGAIN_MS);
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
    return { server: cpuSeconds(serverPids), client, busy: busySeconds(), at: performance.now() };
  }

  #result(before: Usage, after: Usage): LoadResult {
    const seconds = (after.at - before.at) / 1000;
    const server = after.server - before.server;
    const client = after.client - before.client;
    const sorted = Float64Array.from(this.#latencies).sort();
    return {
      callsPerSecond: sorted.length / seconds,
      cpuMicros: (server * 1e6) / sorted.length,
      p50: quantile(sorted, 0.5),
      p99: quantile(sorted, 0.99),
      bad: this.#bad,
      ...(this.#firstBad === undefined ? {} : { firstBad: this.#firstBad }),
      clientCores: client / seconds,
      otherCores: Math.max(0, (after.busy - before.busy - server - client) / seconds),
      residentMb: residentMb(this.#job.serverPids),
    };
  }
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms));

if (import.meta.main) {
  const result = await new Load(JSON.parse(await text(process.stdin)) as LoadJob).run();
  process.stdout.write(JSON.stringify(result), () => process.exit(0));
}
