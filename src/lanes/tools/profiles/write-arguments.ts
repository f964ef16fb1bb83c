import type { JsonObject } from '../../../core/json.ts';
import { BYTES_PER_TOKEN } from '../openapi/schema/write/fit.ts';
import type { Dialect } from './dialects.ts';
import { SchemaWriter, type Level, type Written } from './schema-writer.ts';

/** A tool is 1,500 tokens where that can be, and never more than 8,000 (openapi.md, section 6). Bytes. */
const BUDGET = 1500 * BYTES_PER_TOKEN;
const HARD_LIMIT = 8000 * BYTES_PER_TOKEN;

/** From all to least, each with the bytes that it may have. */
const LEVELS: readonly (Level & { readonly limit: number })[] = [
  { descriptions: 'all', depth: 5, enums: 200, limit: BUDGET },
  { descriptions: 'short', depth: 5, enums: 100, limit: BUDGET },
  { descriptions: 'short', depth: 4, enums: 50, limit: BUDGET },
  { descriptions: 'short', depth: 3, enums: 50, limit: BUDGET },
  { descriptions: 'short', depth: 2, enums: 50, limit: BUDGET },
  { descriptions: 'short', depth: 2, enums: 20, limit: HARD_LIMIT },
  { descriptions: 'none', depth: 2, enums: 20, limit: HARD_LIMIT },
  { descriptions: 'none', depth: 1, enums: 10, limit: HARD_LIMIT },
];

/** An input schema as a client takes it, within the budget of a tool; `used` bytes of it are taken. */
export function writeArguments(schema: JsonObject, dialect: Dialect, used: number): Written & { readonly cuts: ReadonlySet<string> } {
  let written: (Written & { readonly cuts: ReadonlySet<string> }) | undefined;
  for (const { limit, ...level } of LEVELS) {
    const writer = new SchemaWriter(schema, dialect, level, limit - used);
    written = { ...writer.arguments(), cuts: writer.cuts };
    if (!writer.isOver && Buffer.byteLength(JSON.stringify(written.schema)) <= limit - used) return written;
  }
  return written!;
}
