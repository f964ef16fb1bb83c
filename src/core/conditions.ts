import type { JsonObject } from './json.ts';
import { type ASTNode, Environment, type ParseResult } from '@marcbachmann/cel-js';
import { RE2JS } from 're2js';
import type { Lane } from './call.ts';
import type { Risk } from './tools.ts';

/** What an expression may ask about. Records are plain objects; a part that is left out is like a missing field. */
export interface ConditionContext {
  readonly consumer: { readonly name: string; readonly groups: readonly string[] };
  /** Header names are lower case. `time` is when the request was read. */
  readonly request: { readonly headers: Readonly<Record<string, string>>; readonly ip: string; readonly time: Date };
  /** `size` counts the bytes of the request body, `text` is all its texts, one to a line: of a models call, the messages. */
  readonly call: {
    readonly lane: Lane;
    readonly route: string;
    readonly operation: string;
    readonly model?: string;
    readonly size: number;
    readonly text?: string;
  };
  readonly tool?: {
    readonly name: string;
    readonly source: string;
    readonly risk: Risk;
    readonly tags: readonly string[];
    readonly annotations: JsonObject;
  };
  readonly args?: JsonObject;
}

/** A compiled CEL expression that answers yes or no. */
export interface Condition {
  readonly text: string;
  /**
   * True when the expression holds. It never throws: one that asks for something which is not there, such as an argument that the caller left
   * out, does not hold, whatever surrounds the question (`args.a != "x"` without `args.a` is false; write `!has(args.a) || args.a != "x"`).
   * `ifBroken` is the answer when the values do not fit the operators, such as a list where the expression expects text: a rule that refuses
   * passes true, so that nobody escapes it by sending nonsense. `ifMissing` is the answer where something is not there.
   */
  evaluate(context: ConditionContext, ifBroken?: boolean, ifMissing?: boolean): boolean;
}

/** The expression cannot be used. `column` counts from 1 inside `text`, line breaks included. */
export class ConditionError extends Error {
  readonly text: string;
  readonly column: number;

  constructor(text: string, message: string, start = 0) {
    super(message);
    this.name = 'ConditionError';
    this.text = text;
    this.column = start + 1;
  }
}

/** RE2 needs up to half a microsecond for a character; longer texts make an expression broken. */
const LONGEST_MATCHED = 65_536;
const LONGEST_TEXT = 8192;
/** Answers of the library that mean "there is nothing under that name". */
const MISSING = new Set(['no_such_key', 'index_out_of_bounds', 'unknown_variable']);

interface MacroCall {
  readonly ast: ASTNode;
  readonly args: readonly ASTNode[];
  readonly receiver: ASTNode;
}
interface Checker<Scope> {
  check(node: ASTNode, scope: Scope): { readonly kind: string; readonly name: string };
  getType(name: string): unknown;
  createError(code: string, message: string, node: ASTNode): Error;
}
interface Evaluator<Scope> {
  run(node: ASTNode, scope: Scope): unknown;
  createError(code: string, message: string, node: ASTNode): Error;
}

/** `text.matches("pattern")` in linear time. The pattern is a literal: what a caller sends is never compiled. */
function expandMatches<Scope>({ ast, args, receiver }: MacroCall): object {
  const pattern = args[0];
  if (pattern?.op !== 'value' || typeof pattern.args !== 'string') {
    throw new ConditionError(ast.input, 'matches() takes its pattern as a literal text', pattern?.start);
  }
  let expression: RE2JS;
  try {
    expression = RE2JS.compile(pattern.args);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConditionError(ast.input, `matches() takes RE2 patterns: ${reason}`, pattern.start);
  }
  return {
    typeCheck(checker: Checker<Scope>, _macro: unknown, scope: Scope) {
      const type = checker.check(receiver, scope);
      if (type.kind === 'dyn' || type.name === 'string') return checker.getType('bool');
      throw checker.createError('no_matching_overload', `matches() is asked of a text, not of '${type.name}'`, ast);
    },
    evaluate(evaluator: Evaluator<Scope>, _macro: unknown, scope: Scope) {
      const text = evaluator.run(receiver, scope);
      if (typeof text === 'string' && text.length <= LONGEST_MATCHED) return expression.test(text);
      throw evaluator.createError('no_matching_overload', `matches() is asked of a text up to ${LONGEST_MATCHED} characters`, ast);
    },
  };
}

const environment = new Environment({ limits: { maxAstNodes: 1000, maxDepth: 50 } })
  .registerVariable('consumer', { schema: { name: 'string', groups: 'list<string>' } })
  .registerVariable('request', { schema: { headers: 'map<string, string>', ip: 'string', time: 'google.protobuf.Timestamp' } })
  .registerVariable('call', {
    schema: { lane: 'string', route: 'string', operation: 'string', model: 'string', size: 'double', text: 'string' },
  })
  .registerVariable('tool', {
    schema: { name: 'string', source: 'string', risk: 'string', tags: 'list<string>', annotations: 'map<string, dyn>' },
  })
  .registerVariable('args', 'map<string, dyn>')
  // The library's own string.matches runs on backtracking and cannot be replaced, but a macro is expanded before functions are looked up, for
  // every receiver, so declaring it on a type that has no such method puts it in the way of all of them.
  .registerFunction('bool.matches(ast): bool', expandMatches);

interface CelError extends Error {
  readonly code?: string;
  readonly summary?: string;
  readonly range?: { readonly start: number };
}

function fail(text: string, error: unknown): never {
  if (error instanceof ConditionError) throw error;
  const { summary, message, range } = error as CelError;
  throw new ConditionError(text, summary ?? message, range?.start);
}

/**
 * Compiles and type-checks a CEL expression over `consumer`, `request`, `call`, `tool` and `args`.
 * Throws ConditionError for bad syntax, an unknown variable, field or function, a result that is not a boolean, and beyond 8,192 characters.
 */
export function compileCondition(text: string): Condition {
  if (text.length > LONGEST_TEXT) throw new ConditionError(text, `a condition has up to ${LONGEST_TEXT} characters`);
  let program: ParseResult;
  try {
    program = environment.parse(text);
  } catch (error) {
    fail(text, error);
  }
  const { valid, type, error } = program.check();
  if (!valid) fail(text, error);
  if (type !== 'bool' && type !== 'dyn') throw new ConditionError(text, `a condition is true or false, this one gives '${type}'`);
  return {
    text,
    evaluate(context, ifBroken = false, ifMissing = false) {
      try {
        const value: unknown = program(context);
        return typeof value === 'boolean' ? value : ifBroken;
      } catch (error) {
        return MISSING.has((error as CelError).code ?? '') ? ifMissing : ifBroken;
      }
    },
  };
}

/**
 * Compiles a glob: `*` stands for any characters, slashes too, and `?` for one; everything else means itself. Time is linear in the text, so
 * that patterns may meet what a caller sends.
 */
export function compileGlob(pattern: string): (text: string) => boolean {
  const magic = pattern.search(/[*?]/);
  if (magic === -1) return (text) => text === pattern;
  if (magic === pattern.length - 1 && pattern.endsWith('*')) {
    const start = pattern.slice(0, -1);
    return (text) => text.startsWith(start);
  }
  return (text) => matchGlob(pattern, text);
}

/** Only the last star needs another try: what an earlier one took can stay as it is. */
function matchGlob(pattern: string, text: string): boolean {
  let p = 0;
  let t = 0;
  let star = -1;
  let taken = 0;
  while (t < text.length) {
    if (pattern[p] === '*') {
      star = p++;
      taken = t;
    } else if (p < pattern.length && (pattern[p] === '?' || pattern[p] === text[t])) {
      p++;
      t++;
    } else if (star !== -1) {
      p = star + 1;
      t = ++taken;
    } else {
      return false;
    }
  }
  while (pattern[p] === '*') p++;
  return p === pattern.length;
}
