export interface RecordedRequest {
  method: string;
  path: string;
  query: Record<string, string>;
  headers: Record<string, string>;
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into what they know
  body: any;
  /** Without its fault suffix. */
  model?: string;
  fault?: string;
  stream?: boolean;
  /** The mock refused the request, for this reason. */
  refused?: string;
  /** The whole answer was written. */
  finished: boolean;
  /** The client went away before that. */
  aborted: boolean;
  /** When it came, and when the exchange was over: `performance.now()` of the process of the mocks. */
  at: number;
  closedAt?: number;
}

export interface Mock {
  name: string;
  port: number;
  url: string;
  readonly requests: RecordedRequest[];
  /** Forgets the requests and the fault. */
  reset(): void;
  /** Applies to every request that names no fault itself; undefined ends it. */
  setFault(spec: string | undefined): void;
  close(): Promise<void>;
}

export interface Mocks {
  openai: Mock;
  anthropic: Mock;
  gemini: Mock;
  azure: Mock;
  ollama: Mock;
  bedrock: Mock;
  vllm: Mock;
  reset(): void;
  close(): Promise<void>;
}

export const AWS_CREDENTIALS: { accessKeyId: string; secretAccessKey: string };

export function startMocks(options?: { basePort?: number; only?: string[]; host?: string }): Promise<Mocks>;
