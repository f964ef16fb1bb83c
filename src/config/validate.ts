import { Ajv2020 } from 'ajv/dist/2020.js';
import type { ErrorObject, ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';
import type { Problem } from '../core/contracts/resource.ts';
import { parseRate } from '../core/units/rate.ts';
import { Secret } from '../core/secret.ts';
import { agentFaults, loose, serverFaults, serviceFaults, virtualServerFaults } from './reading/checks.ts';
import { conditionFaults, convert, ONE_POLICY, policyName, written } from './reading/convert.ts';
import { nearest, shownKey } from './reading/nearest.ts';
import { rewrite, start } from './reading/rewrite.ts';
import type { ConfigSchema } from './reading/rewrite.ts';
import { below } from './reading/yaml-file.ts';
import type { Fault } from './reading/yaml-file.ts';
import { Consumer, PolicyEntry } from './schema/access.ts';
import { FORMATS } from './schema/formats.ts';
import { Agent } from './schema/agents.ts';
import { ModelRoute, Provider } from './schema/models.ts';
import { WORDS } from './schema/parts.ts';
import { Server, Service, VirtualServer } from './schema/tools.ts';

const compiled = new WeakMap<object, ValidateFunction>();
/** Checking schemas against the meta-schema and optimising code would take two thirds of the time until the first configuration is read. */
const SHARED = { allErrors: true, verbose: true, allowUnionTypes: true, validateSchema: false, code: { optimize: false } } as const;

const own = new Ajv2020({ ...SHARED, strict: true, strictRequired: false });
own.addVocabulary([...WORDS]);
for (const [name, { test }] of FORMATS) own.addFormat(name, test);

/** Extensions are other people's schemas: words that ajv does not know are no reason to refuse them. */
const foreign = new Ajv2020({ ...SHARED, strict: false, logger: false });
// The package's types name a default export that Node does not see.
(addFormats as unknown as (ajv: Ajv2020) => void)(foreign);
foreign.addFormat('rate', (text) => parseRate(text) !== undefined);

/** What in a value does not fit one of the schemas of this folder. Messages name keys and never quote values, which may be secrets. */
export function faultsOf(schema: object, value: unknown): Fault[] {
  return check(own, schema, value);
}

/** What in the options of an extension does not fit its schema. Throws an Error when the schema itself is not one. */
export function optionFaults(schema: object, options: unknown): Fault[] {
  return check(foreign, schema, options);
}

function check(ajv: Ajv2020, schema: object, value: unknown): Fault[] {
  let validate = compiled.get(schema);
  if (!validate) {
    validate = ajv.compile(schema);
    // Kept by us, not by ajv: an extension that is imported again brings the same `$id` again.
    ajv.removeSchema(schema);
    compiled.set(schema, validate);
  }
  if (validate(value)) return [];
  const errors = validate.errors ?? [];
  const named = errors.filter((error) => error.propertyName === undefined || error.keyword === 'propertyNames');
  const faults = named.map((error) => toFault(error)).filter((fault) => fault !== undefined);
  return faults.filter((fault) => !isEcho(fault, faults));
}

/** A missing key that stands there misspelt is told once. */
function isEcho(fault: Suggestion, all: readonly Suggestion[]): boolean {
  return fault.missing !== undefined && all.some(({ pointer, meant }) => meant === fault.missing && pointer === fault.pointer);
}

interface Suggestion extends Fault {
  readonly meant?: string;
  readonly missing?: string;
}

const KINDS: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  integer: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  null: 'empty',
};

function kindOf(value: unknown): string {
  if (value === null) return 'empty';
  return Array.isArray(value) ? 'a list' : (KINDS[typeof value] ?? 'something else');
}

/** How each keyword of JSON Schema is told. Keywords that are not here get a general sentence. */
const TELL: Readonly<Record<string, (error: ErrorObject, schema: ConfigSchema) => Omit<Suggestion, 'pointer'> | undefined>> = {
  additionalProperties({ params }, { properties = {} }) {
    const key = String(params['additionalProperty']);
    const known = Object.keys(properties);
    const meant = nearest(key, known);
    const fix = meant ? `Did you mean "${meant}"?` : `Known here: ${known.join(', ') || 'none'}.`;
    return { code: 'unknown-key', message: `There is no key ${shownKey(key)}. ${fix}`, key, ...(meant && { meant }) };
  },
  propertyNames({ params }, schema) {
    const key = String(params['propertyName']);
    const { propertyNames } = schema as { propertyNames?: { format?: string } };
    return { code: 'bad-name', message: `${shownKey(key)} cannot stand here. ${hintOf(propertyNames?.format)}`.trim(), key };
  },
  required({ params }, { properties = {} }) {
    const missing = String(params['missingProperty']);
    const about = Object.hasOwn(properties, missing) ? properties[missing]?.description : undefined;
    return { code: 'missing-key', message: `The key "${missing}" is missing.${about ? ` ${about}` : ''}`, missing };
  },
  dependentRequired({ params }) {
    return { code: 'missing-key', message: `Beside "${params['property']}" the key "${params['missingProperty']}" is needed.` };
  },
  type({ params, data }, schema) {
    const types = [params['type'] as string | string[]].flat();
    const wanted = types.map((type) => KINDS[type] ?? type).join(' or ');
    return { code: 'wrong-type', message: `This must be ${wanted}, and is ${kindOf(data)}. ${typeFix(types, data, schema)}`.trim() };
  },
  enum({ params, data }) {
    const words = (params['allowedValues'] as unknown[]).map(String);
    const meant = typeof data === 'string' ? nearest(data, words) : undefined;
    return { code: 'bad-value', message: `Write one of: ${words.join(', ')}.${meant ? ` Did you mean "${meant}"?` : ''}` };
  },
  format({ params }, { hint }) {
    return {
      code: 'bad-value',
      message: hint ?? (hintOf(String(params['format'])) || `This is not a text of the format ${params['format']}.`),
    };
  },
  minLength: ({ params }) => ({
    code: 'bad-value',
    message: params['limit'] === 1 ? 'This must not be empty.' : `At least ${params['limit']} characters.`,
  }),
  minItems: ({ params }) => ({
    code: 'bad-value',
    message: `This list needs ${params['limit'] === 1 ? 'an entry' : `${params['limit']} entries`} at least.`,
  }),
  maxLength: ({ params }) => ({ code: 'bad-value', message: `This may have up to ${params['limit']} characters.` }),
  minProperties: (_error, { hint }) => ({
    code: 'missing-key',
    message: hint ?? 'This object needs at least one key. Leave it out, or fill it.',
  }),
  maxProperties: (_error, { hint }) => ({ code: 'too-many-keys', message: hint ?? 'This object has too many keys.' }),
};

function hintOf(format: string | undefined): string {
  return (format === undefined ? undefined : FORMATS.get(format)?.hint) ?? '';
}

function typeFix(types: readonly string[], data: unknown, { hint, secret }: ConfigSchema): string {
  if (hint) return hint;
  if (secret) return 'Write the secret as text.';
  if (types.includes('string') && (typeof data === 'number' || typeof data === 'boolean')) return 'Put it in quotes.';
  if (types.includes('array') && typeof data === 'string') return 'Put it in brackets: [ … ].';
  return '';
}

function toFault(error: ErrorObject): Suggestion | undefined {
  const schema = (error.parentSchema ?? {}) as ConfigSchema;
  const tell = Object.hasOwn(TELL, error.keyword) ? TELL[error.keyword] : undefined;
  const told = tell ? tell(error, schema) : { code: 'bad-value', message: `This ${error.message ?? 'does not fit'}.` };
  return told && { pointer: error.instancePath, ...told };
}

/** What each kind of the admin API takes: what the file would hold under that name, so entries of lists come without their name. */
const ENTRIES = new Map<string, ConfigSchema>(
  Object.entries({
    services: Service,
    servers: Server,
    agents: Agent,
    'virtual-servers': VirtualServer,
    consumers: nameless(Consumer),
    policies: PolicyEntry,
    providers: Provider,
    models: nameless(ModelRoute),
  } as Record<string, object>),
);

function nameless(entry: object): ConfigSchema {
  const { properties, required = [], ...schema } = entry as ConfigSchema;
  const { name: _, ...others } = properties ?? {};
  return { ...schema, properties: others, required: required.filter((key) => key !== 'name') };
}

function entrySchema(kind: string): ConfigSchema {
  const schema = ENTRIES.get(kind);
  if (!schema) throw new Error(`There is no kind ${kind}. Known: ${[...ENTRIES.keys()].join(', ')}.`);
  return schema;
}

/** What a caller of the admin API would read the machine through, if it were resolved. */
const REFERENCE = /\$\{(?:env|file|vault|aws-kms):/;

/** What is wrong with one entry as the admin API takes it: secrets literal, references refused (DESIGN 2.5). Pointers are inside the entry. */
export function validateEntry(kind: string, value: unknown): Problem[] {
  const schema = entrySchema(kind);
  const faults: Fault[] = [];
  rewrite(value, start(schema), (part, { pointer, schema: here }) => {
    if (typeof part !== 'string' || pointer.startsWith('/document')) return part;
    if (REFERENCE.test(part)) {
      faults.push({
        code: 'reference',
        message: 'References are read in files only. Send the value itself; secrets are stored encrypted.',
        pointer,
      });
    } else if (here?.format === 'cel') faults.push(...conditionFaults(part, pointer, false));
    return part;
  });
  const told = new Set(faults.map(({ pointer }) => pointer));
  faults.push(...faultsOf(schema, value).filter(({ pointer }) => !told.has(pointer)));
  if (kind === 'services') faults.push(...serviceFaults(value, '', 'store'));
  if (kind === 'servers') faults.push(...serverFaults(value, ''));
  if (kind === 'agents') faults.push(...agentFaults(value, '', 'store'));
  if (kind === 'virtual-servers') faults.push(...virtualServerFaults(value, ''));
  if (kind === 'providers' && loose(value)['baseUrl'] === 'hub:admin')
    faults.push({ code: 'bad-value', message: 'hub:admin serves no models.', pointer: '/baseUrl' });
  if (kind === 'policies' && policyName(value) === undefined) faults.push({ code: 'bad-value', message: ONE_POLICY, pointer: '' });
  return faults.map(({ code, message, pointer, key }) => ({
    code,
    message,
    severity: 'error',
    pointer: key === undefined ? pointer : below(pointer, key),
  }));
}

/** Parts a valid entry for the store: its secrets by JSON pointer, and the rest with `{ set: true }` in their place. */
export function splitSecrets(kind: string, value: unknown): { readonly config: unknown; readonly secrets: ReadonlyMap<string, string> } {
  const secrets = new Map<string, string>();
  const config = rewrite(value, start(entrySchema(kind)), (part, { schema, pointer }) => {
    if (!schema?.secret || typeof part !== 'string') return part;
    secrets.set(pointer, part);
    return { set: true };
  });
  return { config, secrets };
}

/** An entry of the store as the types have it. Throws an Error when one of its secrets is not there. */
export function joinSecrets(kind: string, config: unknown, secrets: ReadonlyMap<string, string>): unknown {
  return rewrite(config, start(entrySchema(kind)), (part, { schema, pointer }) => {
    const value = secrets.get(pointer);
    if (value !== undefined) return new Secret(value);
    if (schema?.secret && typeof part === 'object' && part !== null && 'set' in part) {
      throw new Error(`The secret at ${pointer} of an entry of ${kind} is lost. Write the entry again.`);
    }
    return convert(part, schema);
  });
}

/** An entry as a file would hold it, with `{ set: true }` in place of secrets; takes what files, the store and joinSecrets give. */
export function maskSecrets(kind: string, config: unknown): unknown {
  return written(entrySchema(kind), config);
}
