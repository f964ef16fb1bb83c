/** One thing that is wrong with a configured entry, as a person reads it. Lines and columns count from 1. */
export interface Problem {
  readonly code: string;
  readonly message: string;
  readonly severity?: 'error' | 'warning';
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  /** JSON pointer into the document or configuration. */
  readonly pointer?: string;
}

/** One tool source in `GET /admin/v1/status`. */
export interface SourceStatus {
  readonly name: string;
  readonly kind: 'service' | 'server' | 'agent' | 'virtual-server';
  readonly origin: 'file' | 'store';
  readonly state: 'loading' | 'ready' | 'failed' | 'auth-needed' | 'disabled';
  readonly tools: number;
  /** What its calls have shown: health, breaker, latency, error rate. Absent before the first. */
  readonly calls?: object;
  readonly error?: string;
}

/** Why something is visible or callable, rule by rule, in the order in which the rules acted. */
export interface Explanation {
  readonly visible: boolean;
  readonly callable: boolean;
  readonly steps: readonly ExplanationStep[];
}

export interface ExplanationStep {
  readonly rule: string;
  readonly effect: 'shows' | 'hides' | 'allows' | 'refuses' | 'renames' | 'info';
  readonly file?: string;
  readonly line?: number;
  readonly value?: unknown;
}

/** The name that a route of models is shown with: its own, or `route-N`. */
export function routeName({ name }: { readonly name?: string }, index: number): string {
  return name ?? `route-${index + 1}`;
}

/** Under which the document of an agent is known: no service can be called so. */
export function agentDocument(agent: string): string {
  return `agents/${agent}`;
}
