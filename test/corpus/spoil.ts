import type { CompiledOperation } from '../../src/lanes/tools/openapi/types.ts';
import type { Call } from './draw.ts';
import type { DeclaredOperation } from './operation.ts';
import { argumentOf, argumentsOf } from './ours.ts';
import { isPart, partsOf, type Resolver } from './resolver.ts';

type Type = 'array' | 'boolean' | 'null' | 'number' | 'object' | 'string';

/** What stands in the place of an argument, where the document does not allow the type. */
const WRONG: readonly (readonly [Type, unknown])[] = [
  ['object', { wrong: true }],
  ['array', [['wrong']]],
  ['boolean', true],
  ['number', 7.5],
  ['string', 'wrong'],
];
const DEEPEST = 12;

/**
 * A call with a value of another type than the document allows in the place of one argument, a required one if there is such, as arguments of the
 * tool; undefined when every argument may be anything.
 */
export function spoiledArguments(
  resolver: Resolver,
  operation: DeclaredOperation,
  compiled: CompiledOperation,
  call: Call,
  random: () => number,
): Record<string, unknown> | undefined {
  const spoils = spoilsOf(resolver, operation, compiled);
  const required = spoils.filter((one) => one.required);
  const choices = required.length > 0 ? required : spoils;
  const choice = choices[Math.floor(random() * choices.length)];
  return choice === undefined ? undefined : { ...argumentsOf(compiled, call), [choice.key]: choice.value };
}

interface Spoil {
  readonly key: string;
  readonly required: boolean;
  readonly value: unknown;
}

function spoilsOf(resolver: Resolver, { parameters, body }: DeclaredOperation, compiled: CompiledOperation): Spoil[] {
  const found: Spoil[] = [];
  const add = (key: string | undefined, required: boolean, schema: unknown): void => {
    const types = typesOf(schema, resolver, 0);
    if (key === undefined || types === undefined) return;
    for (const [type, value] of WRONG) if (!types.has(type)) found.push({ key, required, value });
  };
  for (const { place, name, required, schema } of parameters) add(argumentOf(compiled, place, name), required, schema);
  // A text or bytes are arguments of another type than the document declares.
  if (compiled.body === undefined || !['json', 'form', 'multipart'].includes(compiled.body.kind)) return found;
  const media = body?.content[compiled.body.mediaType];
  if (media !== undefined) add(compiled.body.key, body?.required === true, media.schema);
  return found;
}

/** The types of JSON that a schema allows at most, and those of values it lists; undefined when all of them, or when it cannot be told. */
function typesOf(source: unknown, resolver: Resolver, depth: number): ReadonlySet<Type> | undefined {
  const schema = resolver.at(source);
  if (schema === undefined || depth > DEEPEST) return undefined;
  const { type, format, allOf, anyOf, oneOf } = schema;
  const listed = Array.isArray(schema['enum']) ? (schema['enum'] as unknown[]) : Object.hasOwn(schema, 'const') ? [schema['const']] : [];
  const written = (Array.isArray(type) ? type : [type]).map(typeNamed);
  // Bytes come as an object too, with their name.
  if (format === 'binary' || type === 'file' || schema['contentMediaType'] !== undefined) return undefined;
  const own = written.some((one) => one === undefined) ? undefined : new Set(written as Type[]);
  const bounds = [own, ...partsOf(allOf).map((part) => typesOf(part, resolver, depth + 1))];
  for (const choices of [anyOf, oneOf]) if (Array.isArray(choices) && choices.length > 0) bounds.push(unionOf(choices, resolver, depth));
  const known = bounds.filter((one) => one !== undefined);
  const [first] = known;
  if (first === undefined) return listed.length === 0 ? undefined : new Set(listed.map(typeOf));
  const common = known.reduce<ReadonlySet<Type>>((one, other) => one.intersection(other), first);
  return common.size === 0 ? undefined : new Set([...common, ...listed.map(typeOf)]);
}

function unionOf(choices: readonly unknown[], resolver: Resolver, depth: number): ReadonlySet<Type> | undefined {
  const union = new Set<Type>();
  for (const choice of choices) {
    const types = typesOf(choice, resolver, depth + 1);
    if (types === undefined) return undefined;
    for (const one of types) union.add(one);
  }
  return union;
}

function typeNamed(name: unknown): Type | undefined {
  if (name === 'integer') return 'number';
  return ['array', 'boolean', 'null', 'number', 'object', 'string'].includes(String(name)) ? (name as Type) : undefined;
}

function typeOf(value: unknown): Type {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : isPart(value) ? 'object' : (typeof value as Type);
}
