import type { SpecFile } from '../loaded.ts';
import { agentFaults, listOf, loose, own, serverFaults, serviceFaults, virtualServerFaults } from './checks.ts';
import { balancerFaults, extensionFaults, policyFaults, policyLists, providerFaults } from './extension-checks.ts';
import type { Known } from './extension-checks.ts';
import { nearest, shownKey } from './nearest.ts';
import { below } from './yaml-file.ts';
import type { Fault } from './yaml-file.ts';

/** All that the files say, before it is known to be right. */
export interface Whole {
  readonly root: unknown;
  readonly documents: readonly SpecFile[];
  /** By name: the file relative to the folder, and the value. */
  readonly virtualServers: ReadonlyMap<string, { readonly file: string; readonly value: unknown }>;
  readonly known: Known;
  /** Sources that no file declares. */
  readonly storedSources: readonly string[];
  /** hubgate.yaml relative to the folder. */
  readonly file: string;
}

/** A fault, and the virtual server in whose file it is; hubgate.yaml when none is named. */
export type PlacedFault = Fault & { readonly server?: string };

/** What is wrong between entries. Knows no file but by name, and no value that may be secret. */
export function crossFaults(whole: Whole): PlacedFault[] {
  return [
    ...clashes(whole),
    ...rootFaults(whole),
    ...[...whole.virtualServers].flatMap(([name, { value }]) => serverFileFaults(name, value, whole)),
    ...consumerFaults(whole.root),
  ];
}

/** Services, servers and virtual servers share one namespace. */
function clashes({ root, documents, virtualServers, file }: Whole): PlacedFault[] {
  const faults: PlacedFault[] = [];
  const taken = new Map<string, string>();
  const claim = (name: string, what: string, at: Omit<PlacedFault, 'code' | 'message'>) => {
    const other = taken.get(name);
    if (other === undefined) taken.set(name, what);
    else faults.push({ code: 'name-clash', message: `The name "${name}" is taken twice: by ${other} and by ${what}. Rename one.`, ...at });
  };
  const services = loose(own(root, 'services'));
  for (const name of Object.keys(services)) claim(name, `services in ${file}`, { pointer: below('/services', name) });
  for (const name of Object.keys(loose(own(root, 'servers')))) claim(name, `servers in ${file}`, { pointer: below('/servers', name) });
  for (const { service, display } of documents) {
    const entry = Object.hasOwn(services, service) ? services[service] : undefined;
    const named = own(entry, 'spec') !== undefined || service.includes('/');
    if (named && display === documentOf(documents, service)) continue;
    if (entry !== undefined && !named && own(entry, 'url') === undefined && documentOf(documents, service) === display) continue;
    claim(service, display, { pointer: below('/services', service) });
  }
  for (const [name, server] of virtualServers) claim(name, server.file, { pointer: '', server: name });
  return [...faults, ...hiddenAgents(root, taken)];
}

/** An agent has a door of its own, so the name is not refused (DESIGN 2.3 has a service and an agent "billing"). */
function hiddenAgents(root: unknown, taken: ReadonlyMap<string, string>): Fault[] {
  return Object.keys(loose(own(root, 'agents'))).flatMap((name): Fault[] => {
    const other = taken.get(name);
    if (other === undefined) return [];
    const message = `The agent is served at /a2a/${name}, but its skills are no tools: /mcp/${name} is taken by ${other}. Rename one to have both.`;
    return [{ code: 'name-clash', message, pointer: below('/agents', name), severity: 'warning' }];
  });
}

/** The first document of a service: that of its entry, when the entry names one. */
function documentOf(documents: readonly SpecFile[], service: string): string | undefined {
  return documents.find((document) => document.service === service)?.display;
}

function rootFaults({ root, documents, known }: Whole): Fault[] {
  const faults: Fault[] = [];
  for (const [name, service] of Object.entries(loose(own(root, 'services')))) {
    const pointer = below('/services', name);
    faults.push(...serviceFaults(service, pointer, 'file'));
    const isAdmin = own(service, 'baseUrl') === 'hub:admin';
    if (isAdmin && own(service, 'access') === undefined) {
      const message =
        'With hub:admin every caller of this service is the operator. ' +
        'Add access: to say who may be, such as access: [{ consumers: [admin], allow: ["*"] }].';
      faults.push({ code: 'missing-key', message, pointer });
    }
    // The hub knows its own document.
    const described = isAdmin || ['spec', 'url', 'document'].some((key) => own(service, key) !== undefined);
    if (!described && !documents.some((document) => document.service === name)) {
      const message = `The service has no document. Add spec or url, or put the document at openapi-specs/${name}.yaml.`;
      faults.push({ code: 'document-missing', message, pointer, severity: 'warning' });
    }
  }
  for (const [name, server] of Object.entries(loose(own(root, 'servers')))) {
    const pointer = below('/servers', name);
    faults.push(...serverFaults(server, pointer));
    const source = own(server, 'source');
    if (typeof source !== 'string') continue;
    for (const fault of extensionFaults('tool-source', source, own(server, 'options'), { pointer, key: 'options' }, known)) {
      faults.push(fault.code === 'unknown-extension' ? { ...fault, key: 'source' } : fault);
    }
  }
  const agents = own(root, 'agents');
  for (const [name, agent] of Object.entries(loose(agents))) faults.push(...agentFaults(agent, below('/agents', name), 'file'));
  faults.push(...balancerFaults(agents, '/agents', known));
  faults.push(...providerFaults(own(root, 'providers'), known), ...balancerFaults(own(root, 'models'), '/models', known));
  for (const [name, api] of Object.entries(loose(own(root, 'apis')))) {
    const pointer = below('/apis', name);
    faults.push(...balancerFaults(own(api, 'models'), below(pointer, 'models'), known), ...usedPolicies(api, ['models'], known, pointer));
  }
  return [...faults, ...usedPolicies(root, ['', 'services', 'servers', 'agents', 'models', 'apis'], known)];
}

/** `at` is where the value stands. */
function usedPolicies(value: unknown, places: readonly string[], known: Known, at = ''): Fault[] {
  return policyLists(value, places).flatMap(({ pointer, entries }) =>
    entries.flatMap((entry, index) => policyFaults(entry, below(`${at}${pointer}`, index), known)),
  );
}

function serverFileFaults(name: string, value: unknown, whole: Whole): PlacedFault[] {
  const sources = new Map<string, unknown>(whole.storedSources.map((name) => [name, { access: 'in the store' }]));
  for (const { service } of whole.documents) if (!service.includes('/')) sources.set(service, undefined);
  for (const kind of ['agents', 'servers', 'services']) {
    for (const [source, entry] of Object.entries(loose(own(whole.root, kind)))) sources.set(source, entry);
  }
  const faults: Fault[] = [...virtualServerFaults(value, '', sources), ...usedPolicies(value, [''], whole.known)];
  const open = new Set<string>();
  for (const kind of ['tools', 'resources', 'prompts']) {
    for (const [index, selection] of listOf(own(value, kind)).entries()) {
      const from = own(selection, 'from');
      if (typeof from !== 'string') continue;
      if (!sources.has(from)) faults.push(unknownSource(from, `/${kind}/${index}/from`, sources, whole));
      else if (own(sources.get(from), 'access') === undefined) open.add(from);
    }
  }
  if (own(value, 'access') !== undefined) for (const source of open) faults.push(openSource(source));
  return faults.map((fault) => ({ ...fault, server: name }));
}

function unknownSource(from: string, pointer: string, sources: ReadonlyMap<string, unknown>, { virtualServers }: Whole): Fault {
  const meant = nearest(from, sources.keys());
  let fix = meant ? `Did you mean "${meant}"?` : `Sources: ${[...sources.keys()].join(', ') || 'none'}.`;
  if (virtualServers.has(from)) fix = 'That is a virtual server; take the tools from its sources.';
  return { code: 'unknown-source', message: `There is no source ${shownKey(from)}. ${fix}`, pointer };
}

function openSource(source: string): Fault {
  const message =
    `Callers that this server keeps away from tools of "${source}" reach them at /mcp and /mcp/${source}, as that source has no access of its own. ` +
    `Give it one: access: [] closes it, and virtual servers go on.`;
  return { code: 'open-source', message, pointer: '/access', severity: 'warning' };
}

function consumerFaults(root: unknown): Fault[] {
  const faults: Fault[] = [];
  const names = new Set<unknown>();
  const keys = new Set<unknown>();
  for (const [index, consumer] of listOf(own(root, 'consumers')).entries()) {
    const name = own(consumer, 'name');
    if (name !== undefined && names.has(name)) {
      faults.push({
        code: 'name-clash',
        message: 'There is a consumer of this name already. Rename one.',
        pointer: `/consumers/${index}/name`,
      });
    }
    names.add(name);
    for (const [place, key] of listOf(own(consumer, 'keys')).entries()) {
      const hash = own(key, 'sha256');
      if (hash !== undefined && keys.has(hash)) {
        faults.push({
          code: 'key-clash',
          message: 'This key stands there already. A key proves one consumer, once.',
          pointer: `/consumers/${index}/keys/${place}/sha256`,
        });
      }
      keys.add(hash);
    }
  }
  return faults;
}
