import ipaddr from 'ipaddr.js';
import { hash } from 'node:crypto';
import type { AnyCall } from '../core/call.ts';
import type { Question } from '../core/contracts/policy.ts';

/** What calls may be counted by, as a JSON Schema of the options. */
export const BY = {
  type: ['string', 'array'],
  pattern: '^(consumer|group|route|model|tool|agent|skill|ip|header:[A-Za-z0-9_-]+)$',
  items: { type: 'string', pattern: '^(consumer|group|route|model|tool|agent|skill|ip|header:[A-Za-z0-9_-]+)$' },
  description:
    'One counter for each consumer, group, route, model, tool, agent, skill, ip or header:NAME, or for each combination of several.',
};

/** Those who share one counter. */
export interface Subject {
  /** The same on every node, whatever the order in `by`; of bounded length. */
  readonly key: string;
  /** By dimension, for machines: `{ consumer: 'alice' }`. */
  readonly fields: Readonly<Record<string, string>>;
  /** For people: ` for consumer alice and model gpt-5`; empty for all. */
  readonly words: string;
  /** The same without values: ` by consumer and model`. */
  readonly by: string;
}

type Asked = AnyCall | Question;

interface Dimension {
  readonly name: string;
  /** Undefined: the call has no such thing. */
  value(of: Asked): string | undefined;
  /** Callers choose the value: it may be of any length and hold anything. */
  readonly chosen: boolean;
  /** As people name it. */
  readonly noun: string;
}

const DIMENSIONS: Readonly<Record<string, Omit<Dimension, 'name'>>> = {
  agent: {
    noun: 'agent',
    chosen: true,
    value: (of) => ('input' in of ? (of.lane === 'agents' ? of.input.agent || undefined : undefined) : of.agent),
  },
  consumer: { noun: 'consumer', chosen: false, value: (of) => of.consumer.name },
  // A consumer is in several: the table asks for each of them.
  group: { noun: 'group', chosen: false, value: () => undefined },
  ip: { noun: 'address', chosen: false, value: (of) => (of.request?.ip ? network(of.request.ip) : undefined) },
  model: { noun: 'model', chosen: true, value: (of) => ('input' in of ? (of.lane === 'models' ? of.input.model : undefined) : of.model) },
  skill: {
    noun: 'skill',
    chosen: true,
    value: (of) => ('input' in of ? (of.lane === 'agents' ? of.input.skill : undefined) : of.skill),
  },
  route: { noun: 'route', chosen: false, value: (of) => of.route },
  tool: { noun: 'tool', chosen: true, value: toolOf },
};

/** By its source's name for it, so that a tool is the same one at every door. Unknown tools are none, as hidden ones are. */
function toolOf(of: Asked): string | undefined {
  if (!('input' in of)) return of.tool;
  if (of.lane !== 'tools' || of.input.tool === undefined) return undefined;
  return `${of.input.tool.source}.${of.input.tool.sourceName}`;
}

/** Of IPv6 the /64: whoever has one address of it has all. */
function network(ip: string): string {
  if (!ip.includes(':') || !ipaddr.isValid(ip)) return ip;
  const address = ipaddr.process(ip);
  if (!(address instanceof ipaddr.IPv6)) return address.toString();
  return `${new ipaddr.IPv6([...address.parts.slice(0, 4), 0, 0, 0, 0]).toString()}/64`;
}

function headerDimension(name: string): Dimension {
  const header = name.slice('header:'.length);
  return {
    name,
    noun: `header ${header}`,
    chosen: true,
    // Who leaves it out shares the counter of all who do: that is no way around the rule.
    value: (of) => (of.request === undefined ? undefined : [of.request.headers[header] ?? ''].flat().join(', ')),
  };
}

function dimensionsOf(by: string | readonly string[] = []): readonly Dimension[] {
  const names = new Set([by].flat().map((name) => (name.startsWith('header:') ? name.toLowerCase() : name)));
  return [...names].sort().map((name) => (name.startsWith('header:') ? headerDimension(name) : { ...DIMENSIONS[name]!, name }));
}

const PLAIN = /^(?!#)[\x20-\x7e]{0,64}$/;
const LONGEST_SHOWN = 80;

/** Part of a key: what is long, or could be taken for several parts, is there as its hash. */
function bounded(value: string): string {
  return PLAIN.test(value) ? value : `#${hash('sha256', value, 'base64url')}`;
}

/** For messages: cut, and without what could break a line or a terminal. */
export function shown(value: string): string {
  return value.slice(0, LONGEST_SHOWN).replace(/\p{C}/gu, '');
}

function byWords(dimensions: readonly Dimension[]): string {
  return dimensions.length === 0 ? '' : ` by ${dimensions.map(({ noun }) => noun).join(' and ')}`;
}

function subjectOf(dimensions: readonly Dimension[], values: readonly string[]): Subject {
  const value = (index: number): string => values[index] ?? '';
  const words = dimensions.map(({ noun, name }, index) => {
    // Its source's name for it is nothing that callers know.
    if (name === 'tool') return 'this tool';
    const text = shown(value(index));
    return `${noun} ${name.startsWith('header:') ? `"${text}"` : text}`;
  });
  return {
    key: dimensions.map(({ name, chosen }, index) => `${name}=${chosen ? bounded(value(index)) : value(index)}`).join('\n'),
    fields: Object.fromEntries(dimensions.map(({ name }, index) => [name, shown(value(index))])),
    words: words.length === 0 ? '' : ` for ${words.join(' and ')}`,
    by: byWords(dimensions),
  };
}

/** What is kept for a subject, for some time. */
export interface Row {
  /** Milliseconds since the epoch from which on it has to be made again. */
  readonly until: number;
}

export interface Table<R extends Row> {
  /** One for each subject that the call belongs to: several where it is counted by group; none when it lacks a dimension. */
  rows(of: Asked, now: number): readonly R[];
  /** As subjects have it. */
  readonly by: string;
  /** Only a call itself can be counted by this: a question has no address and no headers. */
  readonly needsRequest: boolean;
}

/** Subjects that are remembered; those beyond are made anew. */
const MOST_ROWS = 10_000;
const NONE: readonly never[] = [];

/** Finds what is kept for the subjects of a call. `make` is asked once for each, and again when its row is over. */
export function createTable<R extends Row>(
  by: string | readonly string[] | undefined,
  make: (subject: Subject, now: number) => R,
): Table<R> {
  const dimensions = dimensionsOf(by);
  const grouped = dimensions.some(({ name }) => name === 'group');
  const known = new Map<string, readonly [R]>();

  const valueOf = (dimension: Dimension, of: Asked, group: string): string | undefined =>
    dimension.name === 'group' ? group : dimension.value(of);

  const find = (of: Asked, group: string, now: number): readonly R[] => {
    let key = '';
    for (const dimension of dimensions) {
      const value = valueOf(dimension, of, group);
      if (value === undefined) return NONE;
      key += `\n${dimension.chosen ? bounded(value) : value}`;
    }
    const found = known.get(key);
    if (found !== undefined && now < found[0].until) return found;
    const values = dimensions.map((dimension) => valueOf(dimension, of, group) ?? '');
    const made = [make(subjectOf(dimensions, values), now)] as const;
    if (known.size >= MOST_ROWS) known.delete(known.keys().next().value as string);
    known.set(key, made);
    return made;
  };

  return {
    rows: grouped ? (of, now) => [...new Set(of.consumer.groups)].flatMap((group) => find(of, group, now)) : (of, now) => find(of, '', now),
    by: byWords(dimensions),
    needsRequest: dimensions.some(({ name }) => name === 'ip' || name.startsWith('header:')),
  };
}
