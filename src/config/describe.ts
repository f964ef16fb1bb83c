import { writeFile } from 'node:fs/promises';
import { schemaOf } from './reading/rewrite.ts';
import type { ConfigSchema } from './reading/rewrite.ts';
import { FORMATS } from './schema/formats.ts';
import { Root } from './schema/root.ts';
import { VirtualServer } from './schema/tools.ts';

const INTRODUCTION = `# Configuration

<!-- Generated from src/config/schema by "npm run docs:config". Do not edit. -->

The hub reads \`hubgate.yaml\`, one file per virtual server in \`virtual-servers/\`, and the OpenAPI documents in \`openapi-specs/\`. Paths are relative
to the folder of \`hubgate.yaml\`. All of it is watched: a change is checked as a whole and served at once, or refused as a whole while the last good
configuration goes on. \`hubgate check\` shows every error with its file and line.

- **Secrets** are references: \`\${env:NAME}\` reads the environment, \`\${file:PATH}\` a file. Inside braces they need quotes:
  \`{ bearer: "\${env:TOKEN}" }\`. References work in every other text too. Places marked *secret* take nothing else, unless \`allowLiteralSecrets: true\`.
- **Globs**: \`*\` stands for any characters, \`?\` for one.
- **Conditions** (\`when\`) are CEL expressions over \`consumer\`, \`request\`, \`call\`, \`tool\` and \`args\`.
- **Extensions** are imported again when their own file changes; for a change in a file that they import, restart the hub.
- Keys that are not on this page are refused. Sections marked *not built yet* are checked and have no effect in this release.
- Editors that know JSON Schema take \`config.schema.json\` beside this page; its \`$defs.virtualServer\` describes a file of \`virtual-servers/\`.
`;

const WORDS: Readonly<Record<string, string>> = {
  string: 'text',
  integer: 'whole number',
  number: 'number',
  boolean: 'true or false',
  array: 'list',
  object: 'object',
  null: 'nothing',
};

/** Conversions that are types to a reader. */
const UNITS = new Set<ConfigSchema['convert']>(['duration', 'size', 'rate']);

/** The reference page and the JSON Schema, as the files under docs/ hold them. */
export function describeConfig(): { readonly page: string; readonly schema: string } {
  const told = new Map<string, string>();
  const sections = [
    ...describeObject(Root as ConfigSchema, 'hubgate.yaml', '', told),
    ...describeObject(VirtualServer as ConfigSchema, 'virtual-servers/NAME.yaml', '', told),
  ];
  const schema = { $schema: 'https://json-schema.org/draft/2020-12/schema', ...Root, $defs: { virtualServer: VirtualServer } };
  return { page: `${[INTRODUCTION.trimEnd(), ...sections].join('\n\n')}\n`, schema: `${JSON.stringify(schema, undefined, 2)}\n` };
}

/** The section of one object and those of the objects inside it; what was told at another place is linked. */
function describeObject(schema: ConfigSchema, title: string, path: string, told: Map<string, string>): string[] {
  const properties = Object.entries(schema.properties ?? {});
  const inner: string[] = [];
  const rows = properties.map(([key, property]) => {
    const place = path === '' ? key : `${path}.${key}`;
    const target = shapeBelow(property, place);
    const text = target && target.schema.properties !== undefined ? linkTo(target, told, inner) : '';
    const must = schema.required?.includes(key) ? ' **Required.**' : '';
    return `| \`${key}\` | ${typeOf(property)} | ${[escape(property.description), must, extras(property), text].filter(Boolean).join(' ')} |`;
  });
  const heading = `${path === '' ? '##' : '###'} \`${title}\``;
  return [
    [heading, escape(schema.description), ['| key | type | what |', '|---|---|---|', ...rows].join('\n')].filter(Boolean).join('\n\n'),
    ...inner,
  ];
}

function linkTo({ schema, path }: Shape, told: Map<string, string>, inner: string[]): string {
  const identity = JSON.stringify(schema);
  const known = told.get(identity);
  if (known !== undefined) return `See [\`${known}\`](#${anchor(known)}).`;
  told.set(identity, path);
  inner.push(...describeObject(schema, path, path, told));
  return `See [\`${path}\`](#${anchor(path)}).`;
}

interface Shape {
  readonly schema: ConfigSchema;
  readonly path: string;
}

/** The object with keys of its own that a property holds: itself, in a list, or under names that the user chooses. */
function shapeBelow(schema: ConfigSchema, path: string): Shape | undefined {
  if (schema.properties) return { schema, path };
  if (schema.items) return shapeBelow(schema.items, `${path}[]`);
  const named = schemaOf(schema, 'NAME');
  return named && shapeBelow(named, `${path}.NAME`);
}

/** The anchor that Markdown renderers give a heading. */
function anchor(path: string): string {
  return path.toLowerCase().replace(/[^a-z0-9 _-]/g, '');
}

function typeOf(schema: ConfigSchema): string {
  if (schema.enum) return schema.enum.map((word) => `\`${word}\``).join(', ');
  if (schema.items) return `list of ${typeOf(schema.items)}`;
  const types = [schema.type ?? 'anything'].flat();
  return types.map((type) => (type === 'string' && UNITS.has(schema.convert) ? schema.convert : (WORDS[type] ?? type))).join(' or ');
}

function extras({ default: fallback, format, secret, unbuilt }: ConfigSchema): string {
  const hint = format === undefined ? '' : (FORMATS.get(format)?.hint ?? '');
  const parts = [
    escape(hint),
    fallback === undefined ? '' : `Default: \`${String(fallback)}\`.`,
    secret ? '*Secret.*' : '',
    unbuilt ? '*Not built yet.*' : '',
  ];
  return parts.filter(Boolean).join(' ');
}

function escape(text: string | undefined): string {
  return (text ?? '').replaceAll('|', '\\|').replace(/[<>]/g, (char) => (char === '<' ? '&lt;' : '&gt;'));
}

if (import.meta.main) {
  const { page, schema } = describeConfig();
  const docs = new URL('../../docs/', import.meta.url);
  await Promise.all([writeFile(new URL('config.md', docs), page), writeFile(new URL('config.schema.json', docs), schema)]);
}
