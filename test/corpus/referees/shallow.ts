import { merged } from '../draw.ts';
import type { Declared } from '../operation.ts';
import { isPart, type Part, partsOf, type Resolver } from '../resolver.ts';

/** As much of a schema as placing a value needs: its type, and those of its members and items. */
export function shallow(source: unknown, resolver: Resolver, depth = 0): Part {
  const found = resolver.at(source);
  // oas-to-har sends no body for a schema that says nothing.
  if (found === undefined) return { title: 'any' };
  const { type, format, properties, items, anyOf, oneOf } = merged(found, resolver, 0);
  const branches = [...partsOf(anyOf), ...partsOf(oneOf)].map((one) => merged(resolver.at(one) ?? {}, resolver, 0)['properties']);
  const members = [...branches, properties].flatMap((one) => (isPart(one) ? Object.entries(one) : []));
  return {
    title: 'any',
    ...(type !== undefined && { type }),
    ...(format !== undefined && { format }),
    ...(depth < 2 &&
      members.length > 0 && { properties: Object.fromEntries(members.map(([key, one]) => [key, shallow(one, resolver, depth + 1)])) }),
    ...(items !== undefined && depth < 2 && { items: shallow(items, resolver, depth + 1) }),
  };
}

/** A parameter as 3.x writes it, defaults of style and explode said. */
export function parameter3({ name, place, required, style, explode, reserved, content, schema }: Declared, resolver: Resolver): Part {
  const base = { name, in: place, ...(required && { required }) };
  if (content !== undefined) return { ...base, content: { [content]: { schema: shallow(schema, resolver) } } };
  return { ...base, style, explode, ...(reserved && { allowReserved: true }), schema: shallow(schema, resolver) };
}
