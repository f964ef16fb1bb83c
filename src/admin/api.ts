import { faultsOf } from '../config/validate.ts';
import { GatewayError } from '../core/errors.ts';
import { VERSION } from '../core/version.ts';
import { below } from '../config/reading/yaml-file.ts';
import { describeRoutes } from './describe.ts';
import type { AdminHub } from './hub.ts';
import { problemBody, Refusal } from './problem.ts';
import type { AdminAnswer, AdminContext, AdminRequest, AdminRoute, RouteRequest } from './route.ts';
import { ROUTES } from './routes.ts';
import { Writes } from './writes.ts';

/** Where the API stands. */
const BASE = '/admin/v1';
const MAX_BYTES = 1024 * 1024;
const MAX_DOCUMENT_BYTES = 64 * 1024 * 1024;

/** The admin API, without a socket: the listener and `baseUrl: hub:admin` serve the same. */
export interface AdminApi {
  /** Answers a request of a caller who has proved to be the operator. Refusals are answers; what the hub did not expect is thrown. */
  handle(request: AdminRequest): Promise<AdminAnswer>;
  /** How many bytes of body a request may have. Throws GatewayError `not_found`, `method_not_allowed` or `bad_request`. */
  bodyLimit(method: string, path: string): number;
  /** The API as an OpenAPI 3.1 document. */
  readonly document: object;
}

/** Serves the table of routes over a running hub. */
export function createAdminApi(hub: AdminHub): AdminApi {
  const context: AdminContext = { hub, writes: new Writes(hub) };
  const document = describeRoutes(ROUTES, BASE, VERSION);
  const own: AdminRoute = {
    method: 'GET',
    path: '/openapi.json',
    operationId: 'getOpenapi',
    tag: 'hub',
    summary: 'This API as an OpenAPI document',
    hidden: true,
    answers: { 200: { description: 'An OpenAPI 3.1 document.' } },
    handle: () => ({ status: 200, body: document }),
  };
  const table = compileTable([...ROUTES, own]);

  return {
    document,
    bodyLimit: (method, path) => (findRoute(table, method, path).route.body?.document ? MAX_DOCUMENT_BYTES : MAX_BYTES),
    async handle({ method, path, query, headers, body }) {
      try {
        const { route, params } = findRoute(table, method, path);
        const request: RouteRequest = { params, query, headers, body };
        checkQuery(route, query);
        checkBody(route, body);
        return await route.handle(request, context);
      } catch (error) {
        if (!(error instanceof GatewayError)) throw error;
        const more = error instanceof Refusal ? error.headers : {};
        return { status: error.status, headers: { ...more, 'content-type': 'application/problem+json' }, body: problemBody(error) };
      }
    },
  };
}

interface TableRow {
  readonly route: AdminRoute;
  readonly segments: readonly string[];
}

/** Paths without parameters come first, so that `services/import` is not the service of that name. */
function compileTable(routes: readonly AdminRoute[]): TableRow[] {
  const rows = routes.map((route) => ({ route, segments: route.path.slice(1).split('/') }));
  const literals = ({ segments }: TableRow): number => segments.filter((segment) => !segment.startsWith('{')).length;
  return rows.toSorted((a, b) => literals(b) - literals(a));
}

function findRoute(table: readonly TableRow[], method: string, path: string): { route: AdminRoute; params: ReadonlyMap<string, string> } {
  const below = path.startsWith(`${BASE}/`) ? path.slice(BASE.length + 1) : undefined;
  if (below === undefined) throw new GatewayError('not_found');
  const segments = decodeSegments(below);
  const here = table.filter((row) => fits(row, segments));
  const row = here.find(({ route }) => route.method === method);
  if (row !== undefined) return { route: row.route, params: paramsOf(row, segments) };
  if (here.length === 0)
    throw new GatewayError('not_found', `There is nothing at this address. ${BASE}/openapi.json describes what there is.`);
  const allow = [...new Set(here.map(({ route }) => route.method))].join(', ');
  throw new Refusal('method_not_allowed', `This address takes ${allow}.`, { headers: { allow } });
}

function decodeSegments(path: string): string[] {
  try {
    return path.split('/').map(decodeURIComponent);
  } catch {
    throw new GatewayError('bad_request', 'The address has a percent sign that encodes nothing.');
  }
}

function fits({ segments: pattern }: TableRow, segments: readonly string[]): boolean {
  return pattern.length === segments.length && pattern.every((part, at) => part.startsWith('{') || part === segments[at]);
}

function paramsOf({ segments: pattern }: TableRow, segments: readonly string[]): Map<string, string> {
  return new Map(pattern.flatMap((part, at) => (part.startsWith('{') ? [[part.slice(1, -1), segments[at] as string]] : [])));
}

function checkQuery({ query: known = [] }: AdminRoute, query: URLSearchParams): void {
  const names = known.map(({ name }) => name);
  const errors = [...new Set(query.keys())].flatMap((name) => {
    if (!names.includes(name))
      return [{ path: `?${name}`, message: `There is no such parameter. Known here: ${names.join(', ') || 'none'}.` }];
    return query.getAll(name).length > 1 ? [{ path: `?${name}`, message: 'Send it once.' }] : [];
  });
  const missing = known.filter(({ name, required }) => required && !query.get(name));
  errors.push(...missing.map(({ name, description }) => ({ path: `?${name}`, message: `The parameter is missing. ${description}` })));
  if (errors.length > 0) throw new Refusal('bad_request', 'The parameters of this address are not right.', { errors });
}

function checkBody({ body: expected }: AdminRoute, body: unknown): void {
  if (expected === undefined || (expected.optional === true && body === undefined)) return;
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new Refusal('bad_request', 'The body must be a JSON object.', { errors: [{ path: '', message: 'Send a JSON object.' }] });
  if (expected.checked === undefined) return;
  const faults = faultsOf(expected.checked, body);
  if (faults.length === 0) return;
  const errors = faults.map(({ pointer, key, message }) => ({ path: key === undefined ? pointer : below(pointer, key), message }));
  throw new Refusal('bad_request', 'The body is not right.', { errors });
}
