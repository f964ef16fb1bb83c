import type { Consumer } from '../../../core/consumer.ts';
import { isObject, type JsonObject } from '../../../core/json.ts';
import type { UpstreamRequest } from '../../../core/upstream.ts';
import type { ModelsHost } from '../host.ts';
import type { Account } from '../routes/account.ts';
import type { ModelApi } from '../routes/api.ts';
import { modelNames, type Route } from '../routes/route.ts';

/** A model as lists show it. */
export interface ListedModel {
  readonly id: string;
  /** The provider entry behind it. */
  readonly owner: string;
}

/** Milliseconds that a vendor's list is kept, and that a list may take to come. */
const KEPT_MS = 300_000;
/** The same for a vendor that did not answer. */
const FAILED_MS = 30_000;
const PATIENCE_MS = 5_000;

const lists = new WeakMap<Account, { readonly until: number; readonly names: Promise<readonly string[]> }>();

/**
 * What a consumer may call, in the order of the routes: names that the configuration says, and for globs what the vendor lists. A vendor who
 * does not answer adds nothing.
 */
export async function listModels({ routes }: ModelApi, consumer: Consumer, host: ModelsHost): Promise<readonly ListedModel[]> {
  const found = new Map<string, ListedModel>();
  const names = await Promise.all(routes.map((route) => (isGlob(route.config.match?.model) ? namesOf(accountOf(route), host) : undefined)));
  for (const [index, route] of routes.entries()) {
    const candidates = names[index] ?? modelNames(route.config) ?? [route.config.name ?? []].flat();
    for (const id of candidates) {
      if (found.has(id) || !route.takesModel(id)) continue;
      const first = routes.find((other) => other.takesModel(id) && other.takes({ model: id, consumer }));
      if (first === route) found.set(id, { id, owner: ownerOf(route) });
    }
  }
  return [...found.values()];
}

/** The first that a route names stands for it: lists are asked of it. */
function accountOf({ plan }: Route): Account {
  return plan.pools[0]!.choices[0]!.accounts.all[0];
}

/** The provider entry behind a model, as lists show it. */
export function ownerOf(route: Route): string {
  return accountOf(route).name;
}

function isGlob(model: string | undefined): boolean {
  return model !== undefined && /[*?]/.test(model);
}

function namesOf(account: Account, host: ModelsHost): Promise<readonly string[]> {
  const kept = lists.get(account);
  if (kept !== undefined && kept.until > Date.now()) return kept.names;
  const names = ask(account, host).catch((error: unknown) => {
    lists.set(account, { until: Date.now() + FAILED_MS, names: Promise.resolve([]) });
    host.log.warn({ provider: account.name, err: error }, 'the provider does not list its models');
    return [];
  });
  lists.set(account, { until: Date.now() + KEPT_MS, names });
  return names;
}

async function ask({ provider, request: own, signers }: Account, { http }: ModelsHost): Promise<readonly string[]> {
  const { models } = provider;
  if (models === undefined) return [];
  let request: UpstreamRequest = {
    ...own,
    method: 'GET',
    path: models.path,
    headers: { ...models.headers, ...own.headers },
    timeoutMs: PATIENCE_MS,
  };
  for (const signer of signers) request = await signer.sign(request, { refresh: false });
  const answer = await http.send(request);
  const body: unknown = answer.status === 200 ? JSON.parse(answer.body.toString()) : undefined;
  if (!isObject(body)) throw new Error(`the list of models answered ${answer.status}`);
  return models.read(body);
}

/** `GET /v1/models` as OpenAI's clients read it. */
export function openaiList(models: readonly ListedModel[]): JsonObject {
  return { object: 'list', data: models.map(openaiModel) };
}

export function openaiModel({ id, owner }: ListedModel): JsonObject {
  return { id, object: 'model', created: 0, owned_by: owner };
}

/** The same as Anthropic's read it. */
export function anthropicList(models: readonly ListedModel[]): JsonObject {
  const data = models.map(anthropicModel);
  return { data, has_more: false, first_id: models[0]?.id ?? null, last_id: models.at(-1)?.id ?? null };
}

export function anthropicModel({ id }: ListedModel): JsonObject {
  return { type: 'model', id, display_name: id, created_at: '1970-01-01T00:00:00Z' };
}
