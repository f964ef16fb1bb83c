import type { Rate } from '../../core/units/rate.ts';
import type { Secret } from '../../core/secret.ts';
import { Type } from 'typebox';
import type { Static, TProperties, TSchema, TUnsafe } from 'typebox';

/**
 * Words that the schema uses besides those of JSON Schema. `secret` marks a text that is loaded as Secret: `true` takes references only, `named`
 * takes a literal too unless its key sounds like a credential. `convert` names how a text becomes a value. `unbuilt` names a section that is
 * accepted with a warning. `hint` is the fix that a message shows.
 */
export const WORDS = ['secret', 'convert', 'unbuilt', 'hint'] as const;

/** An object that refuses keys it does not know. */
export function shape<P extends TProperties>(properties: P, options: object = {}) {
  return Type.Object(properties, { additionalProperties: false, ...options });
}

/** An object whose keys the user chooses. Loaded, it has no prototype, so that any key may be looked up. */
export function map<T extends TSchema>(value: T, options: object = {}): TUnsafe<Record<string, Static<T>>> {
  return Type.Unsafe<Record<string, Static<T>>>({ type: 'object', additionalProperties: value, ...options });
}

/** A map whose keys are names in the namespace of services, servers and virtual servers. */
export function named<T extends TSchema>(value: T, description: string) {
  return map(value, { description, propertyNames: { format: 'name' } });
}

export const text = (description: string, options: object = {}) => Type.String({ minLength: 1, description, ...options });
export const flag = (description: string, options: object = {}) => Type.Boolean({ description, ...options });
export const list = <T extends TSchema>(item: T, description: string) => Type.Array(item, { description });

/** One of a few words. */
export function oneOf<const W extends readonly string[]>(words: W, description: string) {
  return Type.Unsafe<W[number]>({ type: 'string', enum: [...words], description });
}

/** Text with a unit such as 30s; loaded as milliseconds. */
export const duration = (description: string, options: object = {}) =>
  Type.Unsafe<number>({ type: 'string', format: 'duration', convert: 'duration', description, ...options });

/** Text with a unit such as 64MB; loaded as bytes. */
export const size = (description: string, options: object = {}) =>
  Type.Unsafe<number>({ type: 'string', format: 'size', convert: 'size', description, ...options });

/** Text such as 600/min; loaded as Rate. */
export const rate = (description: string) => Type.Unsafe<Rate>({ type: 'string', format: 'rate', convert: 'rate', description });

/** A text that must not be shown. In files it is a reference such as ${env:NAME}. */
export const secret = (description: string) => Type.Unsafe<Secret>({ type: 'string', minLength: 1, secret: true, description });

/** Texts by name, of which some may be credentials; all are loaded as Secret. */
export const secrets = (description: string) => map(Type.Unsafe<Secret>({ type: 'string', secret: 'named' }), { description });

export const description = text('What this is for, in a sentence or two; shown in lists.', { maxLength: 1000 });
export const enabled = flag('Whether the hub serves this entry.', { default: true });
export const condition = text('A CEL expression over consumer, request, call, tool and args that must be true.', { format: 'cel' });
export const glob = (what: string) => text(`${what}, a glob such as "issues_*".`);

export const atLeastOne = (description: string, fallback: number) => Type.Integer({ minimum: 1, description, default: fallback });

export const RISK_WORDS = ['read', 'write', 'destructive'] as const;

const Icon = shape(
  {
    src: text('Where the image is: an https: or data: URL.'),
    mimeType: Type.Optional(text('The media type of the image, such as image/png.')),
    sizes: Type.Optional(list(text('One size such as 48x48, or "any".'), 'Sizes at which the image can be used.')),
    theme: Type.Optional(oneOf(['light', 'dark'], 'The background that the image is made for.')),
  },
  { description: 'One image, as MCP describes it.' },
);
export const icons = list(Icon, 'Images that a client can show beside the name.');

export const annotations = map(Type.Unknown(), {
  description:
    'Hints for clients in place of those the source gives, such as readOnlyHint, destructiveHint, idempotentHint, openWorldHint.',
});
