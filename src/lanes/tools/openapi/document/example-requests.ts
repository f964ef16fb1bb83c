import type { Node, Tree } from './tree.ts';
import { at, own } from './tree.ts';

const KEY = 'x-hubgate-examples';
/** Each is one more vector of the tool; beyond a few they say nothing new. */
const MOST = 10;
/** Characters of one: a request as a person would make it. */
const LONGEST = 300;

/** The requests that an operation says it answers, `x-hubgate-examples`: texts by which search finds its tool. What is none is a warning and left out. */
export function readExampleRequests(tree: Tree, operation: Node, pointer: string): readonly string[] {
  const value = own(operation, KEY);
  if (value === undefined || value === null) return [];
  const place = at(pointer, KEY);
  const ignore = (where: string, reason: string): void => tree.warn(where, 'example_ignored', reason);
  if (!Array.isArray(value)) {
    ignore(place, `There must be a list of texts under ${KEY}.`);
    return [];
  }
  const found = new Set<string>();
  for (const [index, item] of (value as unknown[]).entries()) {
    if (found.size === MOST) {
      ignore(at(place, index), `No more than ${MOST} example requests of an operation are used; from this one on they are ignored.`);
      break;
    }
    const text = typeof item === 'string' ? item.replaceAll(/\s+/g, ' ').trim() : '';
    if (text === '') ignore(at(place, index), 'An example request must be a text; this one is ignored.');
    else if (text.length > LONGEST) ignore(at(place, index), `An example request longer than ${LONGEST} characters is ignored.`);
    else found.add(text);
  }
  return [...found];
}
