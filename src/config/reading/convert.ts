import { compileCondition } from '../../core/conditions.ts';
import { parseDuration } from '../../core/units/duration.ts';
import { formatRate, parseRate, type Rate } from '../../core/units/rate.ts';
import { Secret } from '../../core/secret.ts';
import { parseSize } from '../../core/units/size.ts';
import { formatDuration, formatSize } from '../schema/formats.ts';
import type { PolicyUse } from '../types.ts';
import { rewrite, start } from './rewrite.ts';
import type { ConfigSchema } from './rewrite.ts';
import type { Fault } from './yaml-file.ts';

/** A policy's own keys; every other key names a policy. */
export const POLICY_KEYS: readonly string[] = ['description', 'lanes', 'match', 'when', 'onFailure', 'timeout'];

/** Why a condition cannot be used. An opaque one holds values of references, so the compiler's words, which quote it, stay out. */
export function conditionFaults(text: string, pointer: string, opaque: boolean): Fault[] {
  try {
    compileCondition(text);
    return [];
  } catch (error) {
    const reason = opaque ? 'it is not valid' : (error as Error).message;
    return [
      {
        code: 'condition',
        message: `This condition cannot be used: ${reason}. It is a CEL expression such as args.repo == "site".`,
        pointer,
      },
    ];
  }
}

/** A text that the schema gives a meaning, as the types have it. */
export function convert(value: unknown, schema: ConfigSchema | undefined): unknown {
  switch (schema?.convert) {
    case 'duration':
      return typeof value === 'string' ? parseDuration(value) : value;
    case 'size':
      return typeof value === 'string' ? parseSize(value) : value;
    case 'rate':
      return typeof value === 'string' ? parseRate(value) : value;
    case 'search':
      return toSearch(value);
    case 'policy':
      return toPolicyUse(value);
    default:
      return value;
  }
}

function toMode(mode: unknown): unknown {
  if (typeof mode === 'boolean') return mode ? 'on' : 'off';
  return mode ?? 'auto';
}

function toSearch(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return { mode: toMode(value) };
  return { ...value, mode: toMode('mode' in value ? value.mode : undefined) };
}

export const ONE_POLICY = `Write exactly one policy and its options, such as { access-log: {} }; beside it may stand: ${POLICY_KEYS.join(', ')}.`;

/** The key of a policy's entry that names it; undefined unless there is exactly one. */
export function policyName(entry: unknown): string | undefined {
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) return undefined;
  const names = Object.keys(entry).filter((key) => !POLICY_KEYS.includes(key));
  return names.length === 1 ? names[0] : undefined;
}

function toPolicyUse(value: unknown): unknown {
  const name = policyName(value);
  if (name === undefined) return value;
  const { [name]: options, ...use } = value as Record<string, unknown>;
  return { ...(use as Omit<PolicyUse, 'name' | 'options'>), name, options: options ?? {} } satisfies PolicyUse;
}

/** A value of the types as a file would hold it, with `{ set: true }` in place of secrets. What is so already stays. */
export function written(schema: object, value: unknown): unknown {
  return rewrite(value, start(schema), (part, spot) => (part instanceof Secret ? part.toJSON() : unconvert(part, spot.schema)));
}

function unconvert(value: unknown, schema: ConfigSchema | undefined): unknown {
  if (schema?.convert === 'duration' && typeof value === 'number') return formatDuration(value);
  if (schema?.convert === 'size' && typeof value === 'number') return formatSize(value);
  if (schema?.convert === 'rate' && typeof value === 'object') return formatRate(value as Rate);
  if (schema?.convert === 'policy' && typeof value === 'object' && value !== null && 'options' in value) {
    const { name, options, ...use } = value as PolicyUse;
    return { [name]: options, ...use };
  }
  return value;
}
