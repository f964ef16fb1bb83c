import type { AdminHub } from './hub.ts';
import type { Writes } from './writes.ts';

/** One request as the API sees it; there is no socket in it, so that the hub can ask itself. */
export interface AdminRequest {
  readonly method: string;
  /** With `/admin/v1`, percent-encoded as it was sent, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Parsed JSON. */
  readonly body?: unknown;
}

export interface AdminAnswer {
  readonly status: number;
  /** Lower-case names. `content-type` when it is not application/json. */
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON; absent when the answer has no body. */
  readonly body?: unknown;
}

/** What handlers work with. */
export interface AdminContext {
  readonly hub: AdminHub;
  readonly writes: Writes;
}

/** A request that found its route. */
export interface RouteRequest {
  readonly params: ReadonlyMap<string, string>;
  readonly query: URLSearchParams;
  readonly headers: AdminRequest['headers'];
  readonly body: unknown;
}

export interface QueryParameter {
  readonly name: string;
  readonly description: string;
  readonly required?: boolean;
}

/** One row of the table that the API is served and described from. */
export interface AdminRoute {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  /** Below `/admin/v1`; `{name}` stands for one segment. */
  readonly path: string;
  readonly operationId: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  /** Descriptions of the path's parameters by name. */
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: readonly QueryParameter[];
  /** Takes `If-Match`. */
  readonly conditional?: boolean;
  readonly body?: RouteBody;
  /** Successful answers by status. */
  readonly answers: Readonly<Record<number, { readonly description: string; readonly schema?: object }>>;
  /** Answers nothing useful in this release, so the description leaves it out. */
  readonly hidden?: boolean;
  handle(request: RouteRequest, context: AdminContext): AdminAnswer | Promise<AdminAnswer>;
}

export interface RouteBody {
  /** As callers send it, in plain JSON Schema. */
  readonly schema: object;
  /** A schema of the configuration's words that the body is checked against before the handler sees it; absent: the handler checks. */
  readonly checked?: object;
  readonly optional?: boolean;
  /** May hold an OpenAPI document, so it may be large. */
  readonly document?: boolean;
}
