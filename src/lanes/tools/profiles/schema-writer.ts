import { type JsonObject, isObject } from '../../../core/json.ts';
import { put, type Json } from '../openapi/schema/json.ts';
import { alternativesOf, type Alternative, type Scope } from './alternatives.ts';
import type { Dialect } from './dialects.ts';
import { legalKeys } from './legal-key.ts';
import type { Back, BackProperty } from './restore.ts';
import { firstSentence, wordsOf } from './words.ts';

/** How much of a schema is written. */
export interface Level {
  readonly descriptions: 'all' | 'short' | 'none';
  /** Objects at this depth are not spelt out; the arguments themselves are at depth 0. */
  readonly depth: number;
  /** Values of one enum. */
  readonly enums: number;
}

/** A schema as a client takes it, and the way back from it. */
export interface Written {
  readonly schema: Json;
  readonly back: Back | undefined;
  /** Takes null besides. */
  readonly takesNull: boolean;
}

/** Values of all enums together (OpenAI, structured outputs). */
const MOST_VALUES = 1000;
/** Schemas looked at for one tool. */
const MOST_STEPS = 10_000;
/** From most to least that a value of such a type can say, for clients that take one form only. */
const RICHNESS = ['object', 'array', 'string', 'number', 'integer', 'string of', 'boolean', 'string of nothing'];

/** Writes one schema in a client's dialect, in one pass; what it had to leave out is in `cuts`. */
export class SchemaWriter {
  /** Why the written form says less than the schema. */
  readonly cuts = new Set<string>();
  readonly #scope: Scope;
  readonly #dialect: Dialect;
  readonly #level: Level;
  readonly #limit: number;
  #size = 0;
  #values = 0;

  constructor(root: JsonObject, dialect: Dialect, level: Level, limit: number) {
    this.#scope = { root, left: MOST_STEPS, narrowed: false };
    this.#dialect = dialect;
    this.#level = level;
    this.#limit = limit;
  }

  /** More was written than may be. */
  get isOver(): boolean {
    return this.#size > this.#limit || this.#values > MOST_VALUES;
  }

  /** The arguments of a tool: an object whatever the schema is. */
  arguments(): Written {
    const objects = alternativesOf(this.#scope.root, this.#scope, new Set([this.#scope.root])).filter(isObjectForm);
    if (objects.length > 1) this.cuts.add('one of several sets of arguments: all are shown as one');
    const { schema, open } = united(objects.length === 0 ? [{ schema: {}, open: new Set() }] : objects);
    const { description: _, ...rest } = schema;
    return this.#object(rest, 0, open);
  }

  #value(schema: unknown, depth: number, open: ReadonlySet<unknown>): Written {
    this.#size += 4;
    if (this.isOver) return { schema: {}, back: undefined, takesNull: false };
    const all = alternativesOf(schema, this.#scope, open);
    if (this.#scope.narrowed) this.cuts.add('other forms of a value');
    const forms = all.filter((one) => one.schema['type'] !== 'null');
    const takesNull = forms.length < all.length;
    if (forms.length === 0) return { ...this.#free({}, 'null'), takesNull };
    const any = forms.find(({ schema: form }) => form['type'] === undefined);
    if (any !== undefined) return { ...this.#free(any.schema, 'any value'), takesNull };
    if (this.#dialect.enums === 'strings' && forms.length > 1 && forms.every(({ schema: form }) => Array.isArray(form['enum']))) {
      const values = forms.flatMap(({ schema: form }) => form['enum'] as unknown[]);
      return { ...this.#scalar({ ...forms[0]!.schema, type: 'string', enum: values }), takesNull };
    }
    if (forms.length === 1) return { ...this.#form(forms[0]!, depth), takesNull };
    if (this.#dialect.choices === 'first') return { ...this.#richest(forms, depth), takesNull };
    return { ...this.#choice(forms, depth), takesNull };
  }

  #form({ schema, open, recurs }: Alternative, depth: number): Written {
    switch (schema['type']) {
      case 'object':
        if (recurs === true) return this.#recurring(schema, 'an object like the one it is in');
        if (!hasProperties(schema)) return this.#free(schema, 'an object');
        return depth >= this.#level.depth ? this.#closedUp(schema) : this.#object(schema, depth, open);
      case 'array':
        if (recurs === true) return this.#recurring(schema, 'an array like the one it is in');
        return depth > this.#level.depth ? this.#free({ ...schema, type: 'array' }, 'an array') : this.#array(schema, depth, open);
      default:
        return this.#scalar(schema);
    }
  }

  #object(schema: Json, depth: number, open: ReadonlySet<unknown>): Written {
    const { objects } = this.#dialect;
    const own = (isObject(schema['properties']) ? schema['properties'] : {}) as Json;
    const needed = new Set(Array.isArray(schema['required']) ? (schema['required'] as unknown[]) : []);
    if (objects === 'closed' && isObject(schema['additionalProperties'])) this.cuts.add('keys beside those that are named');
    const keys = legalKeys(Object.keys(own), this.#dialect);
    const properties: Json = {};
    const required: string[] = [];
    const back = new Map<string, BackProperty>();
    for (const [name, key] of keys) {
      if (this.isOver) break;
      if (isNever(own[name])) continue;
      this.#size += key.length + 4;
      const written = this.#value(own[name], depth + 1, open);
      const optional = !needed.has(name);
      put(properties, key, this.#nullable(written, optional));
      if (!optional || objects === 'closed') required.push(key);
      back.set(key, { name, back: written.back, optional, takesNull: written.takesNull });
    }
    const written: Json = { type: 'object', ...this.#described(schema), properties };
    if (required.length > 0) written['required'] = required;
    if (objects === 'closed') written['additionalProperties'] = false;
    this.#size += required.join().length + 40;
    const same = objects === 'open' && [...back].every(([key, property]) => key === property.name && property.back === undefined);
    return {
      schema: written,
      back: same ? undefined : { kind: 'object', properties: back, closed: objects === 'closed' },
      takesNull: false,
    };
  }

  #nullable({ schema, takesNull }: Written, optional: boolean): Json {
    const { nulls, objects } = this.#dialect;
    if (!takesNull && !(optional && objects === 'closed')) return schema;
    this.#size += 30;
    if (nulls === 'branch') {
      const choice = Array.isArray(schema['anyOf']) ? (schema['anyOf'] as Json[]) : undefined;
      if (choice !== undefined) return { ...schema, anyOf: [...choice, { type: 'null' }] };
      const { description, ...form } = schema;
      return { ...(description === undefined ? {} : { description }), anyOf: [form, { type: 'null' }] };
    }
    if (nulls === 'none') return schema;
    const [first, ...others] = Array.isArray(schema['anyOf']) ? (schema['anyOf'] as Json[]) : [];
    return first === undefined ? { ...schema, nullable: true } : { anyOf: [{ ...first, nullable: true }, ...others] };
  }

  #array(schema: Json, depth: number, open: ReadonlySet<unknown>): Written {
    const places = Array.isArray(schema['prefixItems']) ? (schema['prefixItems'] as unknown[]) : [];
    if (places.length > 0) this.cuts.add('what stands at which place of an array');
    const others = isObject(schema['items']) && !isNever(schema['items']) ? [schema['items']] : [];
    const item = places.length === 0 ? schema['items'] : { anyOf: [...places, ...others] };
    // An array of objects is no deeper than one of them, an array of arrays is.
    const items = this.#value(item, isObject(item) && item['type'] === 'array' ? depth + 1 : depth, open);
    this.#size += 30;
    return {
      schema: { type: 'array', ...this.#described(schema), items: this.#nullable(items, false) },
      back: items.back === undefined ? undefined : { kind: 'array', items: items.back },
      takesNull: false,
    };
  }

  #scalar(schema: Json): Written {
    const { type, format } = schema;
    const written: Json = { type };
    if (typeof format === 'string' && this.#dialect.formats.has(`${String(type)}:${format}`)) written['format'] = format;
    // Branches that became one may name a value each, which draft 7 does not take twice.
    const listed = Array.isArray(schema['enum']) ? [...new Set(schema['enum'] as unknown[])] : [];
    const values = this.#dialect.emptyValues ? listed : listed.filter((value) => value !== '');
    if (values.length === 0) return { schema: { ...written, ...this.#described(schema) }, back: undefined, takesNull: false };
    if (values.length > this.#level.enums) {
      this.cuts.add(`values of an enum with ${values.length}`);
      const names = values.slice(0, 10).map(String).join(', ');
      return {
        schema: { ...written, ...this.#described(schema, `One of ${values.length}: ${names}, …`) },
        back: undefined,
        takesNull: false,
      };
    }
    this.#values += values.length;
    this.#size += JSON.stringify(values).length + 8;
    delete written['format'];
    if (this.#dialect.enums === 'any' || values.every((value) => typeof value === 'string'))
      return { schema: { ...written, ...this.#described(schema), enum: values }, back: undefined, takesNull: false };
    const texts = new Map(values.map((value) => [typeof value === 'string' ? value : JSON.stringify(value), value]));
    return {
      schema: { type: 'string', ...this.#described(schema), enum: [...texts.keys()] },
      back: { kind: 'enum', values: texts },
      takesNull: false,
    };
  }

  /** What the client can only give as a text that holds JSON, or as an object that nothing is said of. */
  #free(schema: Json, what: string): Written {
    if (this.#dialect.freeObjects === 'object' && schema['type'] === 'object')
      return { schema: { type: 'object', ...this.#described(schema) }, back: undefined, takesNull: false };
    return { schema: { type: 'string', ...this.#described(schema, `JSON text of ${what}.`, true) }, back: { kind: 'json', composite: schema['type'] !== undefined }, takesNull: false }; // prettier-ignore
  }

  #recurring(schema: Json, what: string): Written {
    this.cuts.add('levels of a schema that contains itself');
    return schema['type'] === 'array' && this.#dialect.freeObjects === 'object'
      ? { schema: { type: 'array', ...this.#described(schema), items: { type: 'object' } }, back: undefined, takesNull: false }
      : this.#free({ type: 'object', description: `${textOf(schema['description'])} Nested further in the same way.`.trim() }, what);
  }

  #closedUp(schema: Json): Written {
    this.cuts.add('objects that are nested deep');
    const names = Object.keys(schema['properties'] as Json);
    const needed = Array.isArray(schema['required']) ? (schema['required'] as string[]) : [];
    const listed = names.toSorted((a, b) => Number(needed.includes(b)) - Number(needed.includes(a))).slice(0, 12);
    const keys = `Keys: ${listed.map((name) => (needed.includes(name) ? `${name} (required)` : name)).join(', ')}${names.length > 12 ? ', …' : ''}.`;
    const { description, ...rest } = schema;
    return this.#free({ ...rest, description: `${textOf(description)} ${keys}`.trim() }, 'an object');
  }

  #choice(forms: readonly Alternative[], depth: number): Written {
    const written = this.#apart(forms).map((form) => this.#form(form, depth));
    const json = written.find(({ back }) => back?.kind === 'json');
    // A text beside a text that holds JSON: the way back tells them apart.
    const kept = json === undefined ? written : written.filter((one) => one === json || !isPlainText(one));
    const distinct = new Map(kept.map((one) => [JSON.stringify(one.schema), one]));
    const branches = [...distinct.values()];
    if (branches.length === 1) return branches[0]!;
    const [description] = branches.map(({ schema }) => schema['description']);
    const shared = description !== undefined && branches.every(({ schema }) => schema['description'] === description);
    const shown = branches.map(({ schema }, index) => {
      if (!shared || (this.#dialect.choices === 'alone' && index === 0)) return schema;
      const { description: _, ...rest } = schema;
      return rest;
    });
    this.#size += 20;
    const back = branches.some((one) => one.back !== undefined);
    return {
      schema: { ...(shared && this.#dialect.choices === 'anyOf' ? { description } : {}), anyOf: shown },
      back: back ? { kind: 'choice', forms: branches.map((one) => ({ schema: one.schema, back: one.back })) } : undefined,
      takesNull: false,
    };
  }

  /** Where objects must differ in their first key, those that do not become one (OpenAI refuses the schema otherwise). */
  #apart(forms: readonly Alternative[]): readonly Alternative[] {
    if (this.#dialect.objects !== 'closed') return forms;
    const objects = forms.filter((form) => isObjectForm(form) && hasProperties(form.schema) && form.recurs !== true);
    const firsts = new Set(objects.map(({ schema }) => Object.keys(schema['properties'] as Json)[0]));
    if (firsts.size === objects.length) return forms;
    this.cuts.add('one of several objects: all are shown as one');
    return [united(objects), ...forms.filter((form) => !objects.includes(form))];
  }

  #richest(forms: readonly Alternative[], depth: number): Written {
    const objects = forms.filter((form) => isObjectForm(form) && form.recurs !== true);
    this.cuts.add('other forms of a value');
    if (objects.length > 0) return this.#form(united(objects), depth);
    const rank = ({ schema }: Alternative): number => RICHNESS.indexOf(kindOf(schema));
    const best = forms.toSorted((a, b) => rank(a) - rank(b))[0]!;
    // One text may have values, another none.
    const same = forms.filter(({ schema }) => kindOf(schema) === kindOf(best.schema));
    return this.#form(same.length > 1 ? united(same) : best, depth);
  }

  #described(schema: Json, more = '', needed = false): Json {
    const { descriptions } = this.#level;
    const whole = textOf(schema['description']);
    const own = descriptions === 'all' ? whole : descriptions === 'short' ? firstSentence(whole) : '';
    if (own.length < whole.length) this.cuts.add('descriptions');
    const said =
      descriptions === 'none' ? (needed ? more : '') : [wordsOf(schema, this.#dialect, own), more].filter((one) => one !== '').join(' ');
    this.#size += said.length + (said === '' ? 0 : 18);
    return said === '' ? {} : { description: said };
  }
}

function hasProperties({ properties }: Json): boolean {
  return isObject(properties) && Object.keys(properties).length > 0;
}

/** Its type, and whether a text has to be one of some, or can only be empty. */
function kindOf({ type, enum: values }: Json): string {
  if (type !== 'string' || !Array.isArray(values)) return String(type);
  return values.some((value) => value !== '') ? 'string of' : 'string of nothing';
}

/** Nothing fits it. */
function isNever(schema: unknown): boolean {
  return schema === false || (isObject(schema) && isObject(schema['not']) && Object.keys(schema['not']).length === 0);
}

function isObjectForm({ schema }: Alternative): boolean {
  return schema['type'] === 'object' || (schema['type'] === undefined && isObject(schema['properties']));
}

function isPlainText({ schema, back }: Written): boolean {
  return schema['type'] === 'string' && schema['enum'] === undefined && back === undefined;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** One form that takes whatever the others take: all properties, and required only what all of them require. */
function united(forms: readonly Alternative[]): Alternative {
  const [first, ...others] = forms;
  if (first === undefined || others.length === 0) return first ?? { schema: {}, open: new Set() };
  const properties: Json = {};
  for (const { schema } of forms) {
    for (const [name, property] of Object.entries((schema['properties'] ?? {}) as Json)) {
      const known = Object.hasOwn(properties, name) ? properties[name] : undefined;
      const same = known === undefined || JSON.stringify(known) === JSON.stringify(property);
      put(properties, name, same ? property : { anyOf: [...choiceOf(known), property] });
    }
  }
  const lists = forms.map(({ schema }) => (Array.isArray(schema['required']) ? (schema['required'] as string[]) : []));
  const required = lists[0]!.filter((name) => lists.every((list) => list.includes(name)));
  const values = forms.map(({ schema }) => schema['enum']);
  const { enum: _, ...rest } = first.schema;
  return {
    schema: {
      ...rest,
      ...(Object.keys(properties).length === 0 ? {} : { properties, required }),
      ...(values.every((list) => Array.isArray(list)) ? { enum: [...new Set(values.flat())] } : {}),
    },
    open: forms.reduce<ReadonlySet<unknown>>((open, form) => open.union(form.open), new Set()),
  };
}

function choiceOf(schema: unknown): readonly unknown[] {
  return isObject(schema) && Object.keys(schema).length === 1 && Array.isArray(schema['anyOf']) ? schema['anyOf'] : [schema];
}
