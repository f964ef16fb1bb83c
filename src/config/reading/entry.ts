import { Secret } from '../../core/secret.ts';
import type { References } from '../secrets.ts';
import { faultsOf } from '../validate.ts';
import { conditionFaults, convert } from './convert.ts';
import { rewrite, start } from './rewrite.ts';
import type { ConfigSchema, Spot } from './rewrite.ts';
import type { Fault } from './yaml-file.ts';

/** One value read against its schema. */
export interface Entry {
  /** As the types have it; undefined when there are errors. */
  readonly value: unknown;
  /** References resolved, before durations and the like became values; for checks that look across entries. */
  readonly plain: unknown;
  readonly faults: readonly Fault[];
  /** Sections that are accepted and do nothing yet, with the first place of each. */
  readonly unbuilt: ReadonlyMap<string, string>;
  /** Secret values. */
  readonly secrets: readonly string[];
  /** What any reference stood for, secret or not. */
  readonly referred: readonly string[];
}

const LITERAL =
  'A secret must not stand in the file. Write a reference such as "${env:NAME}" or "${file:/run/secrets/name}", or set allowLiteralSecrets: true.';
const CREDENTIAL_NAME = /auth|key|token|secret|passw|cookie|credential/i;

/** Resolves references, validates, and turns a value into what the types say. Never throws. */
export function readEntry(schema: object, raw: unknown, options: { references: References; literalSecrets: boolean }): Entry {
  const faults: Fault[] = [];
  const unbuilt = new Map<string, string>();
  const found = new Map<string, Secret>();
  const opaque = new Set<string>();
  const secrets = new Set<string>();
  const referred = new Set<string>();

  const resolveText = (text: string, { schema, pointer, key }: Spot): string => {
    try {
      const resolved = options.references.resolve(text);
      const literal = resolved.values.length === 0;
      for (const value of resolved.values) referred.add(value);
      if (!schema?.secret) {
        if (!literal) opaque.add(pointer);
        if (!isDescribed(schema)) for (const value of resolved.values) secrets.add(value);
        return resolved.text;
      }
      if (literal && !options.literalSecrets && (schema.secret === true || CREDENTIAL_NAME.test(key))) {
        faults.push({ code: 'literal-secret', message: LITERAL, pointer });
      }
      if (!literal || schema.secret === true || CREDENTIAL_NAME.test(key)) secrets.add(resolved.text);
      for (const value of resolved.values) secrets.add(value);
      found.set(pointer, new Secret(resolved.text));
    } catch (error) {
      faults.push({ code: 'reference', message: (error as Error).message, pointer });
    }
    return text;
  };

  const plain = rewrite(raw, start(schema), (value, spot) => {
    const section = spot.schema?.unbuilt;
    if (section !== undefined && !unbuilt.has(section)) unbuilt.set(section, spot.pointer);
    return typeof value === 'string' ? resolveText(value, spot) : value;
  });

  const failed = new Set(faults.map(({ pointer }) => pointer));
  faults.push(...faultsOf(schema, plain).filter(({ pointer }) => !failed.has(pointer)));
  const value = rewrite(plain, start(schema), (part, spot) => {
    if (spot.schema?.format === 'cel' && typeof part === 'string')
      faults.push(...conditionFaults(part, spot.pointer, opaque.has(spot.pointer)));
    return found.get(spot.pointer) ?? convert(part, spot.schema);
  });
  return { value: faults.length === 0 ? value : undefined, plain, faults, unbuilt, secrets: [...secrets], referred: [...referred] };
}

/** False where anything may stand, and in conditions: there a reference counts as a secret. */
function isDescribed(schema: ConfigSchema | undefined): boolean {
  return schema?.type !== undefined && schema.format !== 'cel';
}
