import { createHash } from 'node:crypto';
import type { AdminHub, ConfiguredEntry, ExaminedDocument } from '../admin/hub.ts';
import { maskSecrets } from '../config/validate.ts';
import { ANONYMOUS } from '../core/consumer.ts';
import { documentText } from '../core/decode-text.ts';
import { routeName, type Problem } from '../core/contracts/resource.ts';
import type { SemanticStatus } from '../core/contracts/semantics.ts';
import { GatewayError } from '../core/errors.ts';
import type { Redactor } from '../core/redact.ts';
import { VERSION } from '../core/version.ts';
import { routePointer } from '../lanes/models/routes/build.ts';
import { importReport } from '../lanes/tools/report.ts';
import { documentProblems } from './document-problems.ts';
import { evaluateRoutes } from './evaluation/evaluate-routes.ts';
import { evaluateTools } from './evaluation/evaluate-tools.ts';
import { isError } from './generation.ts';
import type { Hub } from './hub.ts';

/** Answers the admin API's questions about a running hub. */
export function adminHub(hub: Hub): AdminHub {
  const content = () => hub.slot.current.content;
  return {
    store: hub.store,
    calls: hub.recording.calls,
    status() {
      const documents = documentProblems(hub);
      // A bad document fails alone: the configuration serves all the same.
      const errors = [...hub.refused, ...documents.filter(isError)];
      return {
        version: VERSION,
        generation: hub.slot.current.number,
        config: { ok: hub.refused.length === 0, errors, warnings: [...hub.problems, ...documents.filter((problem) => !isError(problem))] },
        sources: hub.lanes.tools.status(),
        targets: hub.lanes.models.targets(),
        agents: hub.lanes.agents.status(),
        semantic: semanticStatus(hub),
      };
    },
    reload: () => hub.reload(),
    refreshKeys: () => hub.refreshKeys(),
    entries: (kind) => entriesOf(hub, kind),
    problems: (kind, name) => problemsOf(hub, kind, name),
    consumer(name) {
      const { directory } = content();
      if (name === undefined || name === ANONYMOUS.name) {
        if (directory.open) return ANONYMOUS;
        throw new GatewayError('bad_request', 'Say for which consumer: this hub has consumers, so nobody is anonymous.');
      }
      const consumer = directory.get(name);
      if (consumer === undefined) throw new GatewayError('not_found', `There is no consumer "${name}".`);
      return consumer;
    },
    tools: (server, consumer) => hub.lanes.tools.tools(server, consumer),
    searchTools: ({ server, consumer, query, top }) => hub.lanes.tools.search(server, consumer, query, { top }),
    evaluateTools: (evaluation) => evaluateTools(hub, evaluation),
    evaluateRoutes: (evaluation) => evaluateRoutes(hub, evaluation),
    explainTool: async (server, tool, consumer) => withoutSecrets(await hub.lanes.tools.explain(server, tool, consumer), hub.redactor),
    models: (consumer) => hub.lanes.models.models(consumer),
    explainModel: async (question) => withoutSecrets(await hub.lanes.models.explain(question), hub.redactor),
    explainAgent: async (question) => withoutSecrets(await hub.lanes.agents.explain(question), hub.redactor),
    refreshAgent: (agent) => hub.lanes.agents.refresh(agent),
    report: (service) => hub.lanes.tools.report(service),
    refresh: (service) => hub.lanes.tools.refresh(service),
    examine: (source) => examine(hub, source),
    addSecret: (value) => hub.redactor.add(value),
  };
}

/** The model of `embedding`, and with it those that uses name. */
function semanticStatus(hub: Hub): SemanticStatus & { readonly others?: readonly SemanticStatus[] } {
  const [own, ...others] = hub.semantics.status();
  return { ...own!, ...(others.length === 0 ? {} : { others }) };
}

async function examine(
  hub: Hub,
  source: { readonly name: string } & ({ readonly url: string } | { readonly document: string }),
): Promise<ExaminedDocument> {
  const fetched = 'url' in source ? await hub.http.fetchDocument(source.url, { trust: 'public' }) : undefined;
  const text = 'document' in source ? source.document : documentText(fetched!.body);
  const report = await importReport(fetched?.url ?? source.name, {
    text,
    name: source.name,
    ...(fetched === undefined ? {} : { url: fetched.url }),
  });
  return { ok: report.ok, report, text };
}

/** What a reference stood for is a secret too where the schema expects none: in options of policies, fixed arguments, conditions. */
function withoutSecrets<T>(value: T, redactor: Redactor): T {
  if (typeof value === 'string') return redactor.redact(value) as T;
  if (Array.isArray(value)) return value.map((item) => withoutSecrets<unknown>(item, redactor)) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withoutSecrets<unknown>(item, redactor)])) as T;
}

/** Providers and routes have no source that could be asked: what is said of them names their place. */
function problemsOf(hub: Hub, kind: string, name: string): readonly Problem[] {
  if (kind === 'agents') return withoutSecrets(hub.lanes.agents.entryProblems(name), hub.redactor);
  if (kind !== 'providers' && kind !== 'models') return [...hub.lanes.tools.entryProblems(kind, name)];
  const { merged } = hub.slot.current.content;
  const index = (merged.config.models ?? []).findIndex((route, at) => routeName(route, at) === name);
  const place = kind === 'models' ? routePointer(merged, index) : `/providers/${name}`;
  const found = hub.problems.filter(({ code, pointer = '' }) => code !== 'name_clash' && `${pointer}/`.startsWith(`${place}/`));
  return withoutSecrets(found, hub.redactor);
}

function entriesOf(hub: Hub, kind: string): ConfiguredEntry[] {
  const { merged, loaded } = hub.slot.current.content;
  const { config } = merged;
  const named = (entries: Iterable<readonly [string, unknown]>): ConfiguredEntry[] =>
    [...entries].map(([name, entry]) => {
      const shown = withoutSecrets(maskSecrets(kind, entry), hub.redactor);
      return {
        name,
        origin: merged.origin(kind, name),
        config: shown,
        revision: createHash('sha256').update(JSON.stringify(shown)).digest('base64url').slice(0, 16),
      };
    });
  const unnamed = (entries: readonly object[] | undefined, nameOf: (entry: object, index: number) => string): ConfiguredEntry[] =>
    named(
      (entries ?? []).map((entry, index): [string, unknown] => {
        const { name: _, ...rest } = entry as { name?: string };
        return [nameOf(entry, index), rest];
      }),
    );
  if (kind === 'virtual-servers') return named(merged.virtualServers);
  if (kind === 'consumers') return unnamed(config.consumers, (entry) => (entry as { name: string }).name);
  if (kind === 'models') return unnamed(config.models, routeName);
  if (kind === 'policies') return named((config.policies ?? []).map((policy): [string, unknown] => [policy.name, policy]));
  const section = loaded.config === undefined ? undefined : (config as Record<string, unknown>)[kind];
  return named(Object.entries((section as object | undefined) ?? {}));
}
