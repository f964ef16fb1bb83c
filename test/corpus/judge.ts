import { compileDocument } from '../../src/lanes/tools/openapi/compile.ts';
import type { CompiledOperation, CompiledService } from '../../src/lanes/tools/openapi/types.ts';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { type CorpusDocument } from './documents.ts';
import { excusedBy } from './disputes.ts';
import { type Call, drawCall, type Kind, NoValue, randomOf } from './draw.ts';
import { type DeclaredOperation, declaredOperations } from './operation.ts';
import { argumentsOf, CONNECTION, chosenMediaType, missingArguments, ourRequest } from './ours.ts';
import { differences } from './reading.ts';
import type { Case, Referee } from './referees/referee.ts';
import { prism, type Validate } from './prism.ts';
import { isPart, Resolver } from './resolver.ts';
import { spoiledArguments } from './spoil.ts';

const KINDS: readonly Kind[] = ['minimal', 'full', 'odd'];

/** What became of one document. Counts are of operations unless they say otherwise. */
export interface Verdict {
  readonly id: string;
  readonly group: string;
  /** Undefined when the document was read; else why not. */
  readonly refused?: string;
  readonly declared: number;
  readonly valid: number;
  readonly complete: number;
  /** Operations of which a referee judged a request, and those of which all that were judged were right. */
  readonly compared: number;
  readonly right: number;
  /** Sets of arguments. */
  readonly sets: number;
  /** Sets for which the document allows no value; not in `sets`. */
  readonly undrawn: number;
  readonly taken: number;
  /** Sets of which a referee judged something, and all that was judged is right. */
  readonly setsRight: number;
  /** Sets of which no referee judged anything. */
  readonly setsUnjudged: number;
  /** Sets with a value of a wrong type, one an operation at most, and those of them that are refused. */
  readonly spoiled: number;
  readonly caught: number;
  /** Prism is for this document. */
  readonly forPrism: boolean;
  /** Sets that Prism was shown, and those it accepts. */
  readonly asked: number;
  readonly accepted: number;
  /** Sets of which something was left to the rules, by rule. */
  readonly disputes: ReadonlyMap<string, number>;
  /** Parameters, bodies and fields of sets that no referee judged: what the unit tests say counts. */
  readonly unjudged: ReadonlyMap<string, number>;
  /** Sets that a referee could not read, by referee. */
  readonly unread: ReadonlyMap<string, number>;
  readonly faults: readonly string[];
  /** What Prism says of the sets that it does not accept. */
  readonly rejections: readonly string[];
}

export interface Choice {
  readonly seed: number;
  /** Requests of real documents up to so many characters are shown to Prism too, which takes minutes for the largest. */
  readonly prismUpTo: number;
  /** True for operations to compare; counts of documents and tools are of all. */
  readonly wanted?: (identity: string) => boolean;
}

/** Compiles a document as the hub does and compares the requests of its operations with those of the referees. */
export async function judgeDocument(
  document: CorpusDocument,
  referees: readonly Referee[],
  { seed, wanted, prismUpTo }: Choice,
): Promise<Verdict> {
  const { id, group } = document;
  const counts = {
    declared: 0,
    valid: 0,
    complete: 0,
    compared: 0,
    right: 0,
    sets: 0,
    undrawn: 0,
    taken: 0,
    setsRight: 0,
    setsUnjudged: 0,
    spoiled: 0,
    caught: 0,
    asked: 0,
    accepted: 0,
  };
  const disputes = new Map<string, number>();
  const unjudged = new Map<string, number>();
  const unread = new Map<string, number>();
  const faults: string[] = [];
  const rejections: string[] = [];
  const forPrism = group === 'real' && document.text.length <= prismUpTo;
  let service: CompiledService;
  try {
    service = compiled(document);
  } catch (error) {
    return {
      id,
      group,
      refused: (error as Error).message,
      ...counts,
      declared: document.operations,
      forPrism,
      disputes,
      unjudged,
      unread,
      faults,
      rejections,
    };
  }
  const { definitions } = service;
  const operations = new Map(service.operations.map((one) => [one.identity, one]));
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  const resolver = new Resolver(document.root);
  const validate = forPrism ? await prism(document.root) : undefined;
  for (const operation of declaredOperations(resolver)) {
    counts.declared += 1;
    const identity = `${operation.method} ${operation.path}`;
    const tool = operations.get(identity);
    if (tool === undefined) {
      faults.push(`${identity}: no tool`);
      continue;
    }
    if (ajv.validateSchema(tool.tool.definition.inputSchema) === true) counts.valid += 1;
    else faults.push(`${identity}: ${ajv.errorsText()}`);
    const missing = missingArguments(tool, operation, resolver);
    if (missing.length === 0) counts.complete += 1;
    else faults.push(`${identity}: no argument for ${missing.join(', ')}`);
    if (wanted?.(identity) === false) continue;
    const found = await compareOperation(operation, tool, { definitions, resolver, referees, validate, seed: `${seed} ${id} ${identity}` });
    counts.sets += found.sets;
    counts.undrawn += found.undrawn;
    counts.asked += found.asked;
    counts.accepted += found.accepted;
    counts.taken += found.taken;
    counts.setsRight += found.right;
    counts.setsUnjudged += found.unjudgedSets;
    counts.spoiled += found.spoiled;
    counts.caught += found.caught;
    if (found.sets > found.unjudgedSets) {
      counts.compared += 1;
      if (found.right + found.unjudgedSets === found.sets && missing.length === 0) counts.right += 1;
    }
    for (const rule of found.disputes) disputes.set(rule, (disputes.get(rule) ?? 0) + 1);
    for (const part of found.unjudged) unjudged.set(part, (unjudged.get(part) ?? 0) + 1);
    for (const name of found.unread) unread.set(name, (unread.get(name) ?? 0) + 1);
    faults.push(...found.faults.map((fault) => `${identity}: ${fault}`));
    rejections.push(...found.rejections.map((line) => `${identity}: ${line}`));
  }
  return { id, group, ...counts, forPrism, disputes, unjudged, unread, faults, rejections };
}

function compiled({ text, folder }: CorpusDocument): CompiledService {
  return compileDocument({ name: 'svc', text, ...(folder !== undefined && { folder }) });
}

interface Compared {
  sets: number;
  undrawn: number;
  taken: number;
  right: number;
  unjudgedSets: number;
  spoiled: number;
  caught: number;
  asked: number;
  accepted: number;
  disputes: string[];
  unjudged: string[];
  unread: string[];
  faults: string[];
  rejections: string[];
}

interface Asking {
  readonly definitions: CompiledService['definitions'];
  readonly resolver: Resolver;
  readonly referees: readonly Referee[];
  readonly validate: Validate | undefined;
  readonly seed: string;
}

async function compareOperation(operation: DeclaredOperation, compiled: CompiledOperation, asking: Asking): Promise<Compared> {
  const result: Compared = {
    sets: 0,
    undrawn: 0,
    taken: 0,
    right: 0,
    unjudgedSets: 0,
    spoiled: 0,
    caught: 0,
    asked: 0,
    accepted: 0,
    disputes: [],
    unjudged: [],
    unread: [],
    faults: [],
    rejections: [],
  };
  const { resolver, referees, validate, seed } = asking;
  const mediaType = chosenMediaType(compiled, operation);
  for (const kind of KINDS) {
    const call = drawn(resolver, operation, mediaType, kind, seed);
    if (call === undefined) {
      result.undrawn += 1;
      continue;
    }
    if (kind === 'minimal') await spoil(operation, compiled, call, asking, result);
    const args = argumentsOf(compiled, call);
    const ours = await ourRequest(compiled, args, asking.definitions);
    result.sets += 1;
    if ('refused' in ours) {
      result.faults.push(`${kind}: refused ${short(args)}: ${ours.refused.join(' | ').slice(0, 300)}`);
      continue;
    }
    result.taken += 1;
    // Prism does not match keys with a query or fragment, and wants parts as text.
    const isShown = validate !== undefined && !/[?#]/.test(operation.path) && ours.reading.body?.kind !== 'parts';
    const rejected = isShown ? validate(operation.method, operation.path, ours.reading) : undefined;
    if (rejected !== undefined) result.asked += 1;
    if (rejected?.length === 0) result.accepted += 1;
    else if (rejected !== undefined) result.rejections.push(`${kind}: ${rejected.join('; ')}`);
    const found = await compareWithAll({ operation, call, resolver }, ours.reading, referees);
    result.disputes.push(...found.disputes);
    result.unjudged.push(...found.unjudged);
    result.unread.push(...found.unread);
    if (found.faults.length === 0) result[found.isJudged ? 'right' : 'unjudgedSets'] += 1;
    else result.faults.push(...found.faults.map((fault) => `${kind}: ${fault}`));
  }
  return result;
}

/** One wrong value, which has to be refused. */
async function spoil(
  operation: DeclaredOperation,
  compiled: CompiledOperation,
  call: Call,
  { resolver, definitions, seed }: Asking,
  result: Compared,
): Promise<void> {
  const args = spoiledArguments(resolver, operation, compiled, call, randomOf(`${seed} spoiled`));
  if (args === undefined) return;
  result.spoiled += 1;
  if ('refused' in (await ourRequest(compiled, args, definitions))) result.caught += 1;
  else result.faults.push(`spoiled: taken ${short(args)}`);
}

/** Undefined when the document allows no value. */
function drawn(
  resolver: Resolver,
  operation: DeclaredOperation,
  mediaType: string | undefined,
  kind: Kind,
  seed: string,
): Call | undefined {
  try {
    return drawCall(resolver, operation, mediaType, kind, randomOf(`${seed} ${kind}`));
  } catch (error) {
    if (error instanceof NoValue) return undefined;
    throw error;
  }
}

async function compareWithAll(
  one: Case,
  ours: Parameters<typeof differences>[0],
  referees: readonly Referee[],
): Promise<Pick<Compared, 'disputes' | 'unjudged' | 'unread' | 'faults'> & { readonly isJudged: boolean }> {
  const disputes = new Set<string>();
  const unread: string[] = [];
  const faults: string[] = [];
  const headers = one.operation.parameters
    .filter(({ place }) => place === 'header')
    .map(({ name }) => name.toLowerCase())
    .filter((name) => !CONNECTION.has(name));
  let unjudged: ReadonlySet<string> | undefined;
  for (const referee of referees) {
    const found = excusedBy(referee, one);
    const silent = new Set([...found.silent, ...(found.excused.body && one.call.body !== undefined ? fieldsOf(one) : [])]);
    for (const rule of found.disputes) disputes.add(rule);
    try {
      const theirs = await referee.request(one);
      unjudged = unjudged === undefined ? silent : unjudged.intersection(silent);
      faults.push(...differences(ours, theirs, headers, found.excused).map((line) => `${referee.name}, ${line}`));
    } catch {
      unread.push(referee.name);
    }
  }
  const parts = [...one.call.parameters.keys(), ...(one.call.body === undefined ? [] : fieldsOf(one))];
  const silent = unjudged ?? new Set(parts);
  const isJudged = unjudged !== undefined && (parts.length === 0 || !parts.every((part) => silent.has(part)));
  return { disputes: [...disputes], unjudged: [...silent].map(kindOf), unread, faults, isJudged };
}

function fieldsOf({ call }: Case): string[] {
  return isPart(call.body) ? ['body', ...Object.keys(call.body).map((name) => `field:${name}`)] : ['body'];
}

function kindOf(part: string): string {
  return part.split(':')[0] ?? '';
}

function short(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
