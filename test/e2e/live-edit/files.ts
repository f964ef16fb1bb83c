import { createHash } from 'node:crypto';

export const ALICE = 'alice-key-0123456789';

/** What the edits of this story change; each field stands in one of the three files. */
export interface Facts {
  /** Described by an override of the virtual server. */
  readonly described: string;
  /** Stands in the document. */
  readonly documented: string;
  /** Operations that the document has beside the others. */
  readonly extra: readonly string[];
  /** Tools that a rule of the virtual server denies. */
  readonly denied: readonly string[];
  /** Alice is in the group that may audit. */
  readonly audits: boolean;
}

export const FIRST: Facts = { described: 'as it began', documented: 'as it began', extra: ['extra0'], denied: [], audits: false };

/** Operations that nobody calls, to give the document its size. */
const BULK = 400;
const PADDING = 'Something that takes its place in the file and is shown to nobody in this story. '.repeat(8);

const sha256 = createHash('sha256').update(ALICE).digest('hex');

export const FILES = {
  'hubgate.yaml': ({ audits }: Facts): string => `
services:
  shop: { spec: openapi-specs/shop.json, baseUrl: demo:petstore }
consumers:
  - { name: alice, groups: [support${audits ? ', auditors' : ''}], keys: [{ sha256: "${sha256}" }] }
`,
  'virtual-servers/desk.yaml': ({ described, denied }: Facts): string => `
description: What the desk does
tools:
  - { from: shop, exclude: ["bulk*"] }
overrides:
  shop.getPetById: { description: "${described}" }
access:
  - { groups: [support], allow: ["*Pet*", "extra*"], deny: ${JSON.stringify(denied)} }
  - { groups: [auditors], allow: [audit] }
`,
  'openapi-specs/shop.json': ({ documented, extra }: Facts): string => {
    const get = (operationId: string, description: string) => ({ get: { operationId, description, responses: {} } });
    const pet = { parameters: [{ name: 'petId', in: 'path', required: true, schema: { type: 'integer' } }], ...get('getPetById', 'A pet') };
    const others = extra.map((name) => [`/${name}`, get(name, 'More')]);
    const bulk = Array.from({ length: BULK }, (_, index) => [`/bulk/${index}`, get(`bulk${index}`, PADDING)]);
    return JSON.stringify({
      openapi: '3.1.0',
      info: { title: 'Shop', version: '1' },
      paths: {
        '/pets': get('listPets', documented),
        '/pets/{petId}': pet,
        '/audit': get('audit', 'What was done'),
        ...Object.fromEntries([...others, ...bulk]),
      },
    });
  },
} as const;

export type FileName = keyof typeof FILES;

/** What alice's list on the virtual server is to say: each tool with its description. */
export function expectedTools({ described, documented, extra, denied, audits }: Facts): Record<string, string> {
  const shown = { listPets: documented, getPetById: described, ...Object.fromEntries(extra.map((name) => [name, 'More'])) };
  const allowed = Object.entries(shown).filter(([name]) => !denied.includes(name));
  return { ...Object.fromEntries(allowed), ...(audits && { audit: 'What was done' }) };
}
