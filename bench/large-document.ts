/** What the generated document has of each. */
export interface LargeDocument {
  readonly operations: number;
  readonly schemas: number;
  readonly seed: number;
}

type Node = Record<string, unknown>;

const WORDS =
  'account access batch channel device event file group history item job key list message note order policy queue report user'.split(' ');
const SCALARS: readonly Node[] = [
  { type: 'string' },
  { type: 'string', nullable: true, maxLength: 400 },
  { type: 'string', format: 'date-time' },
  { type: 'integer', format: 'int64', minimum: 0 },
  { type: 'number', nullable: true },
  { type: 'boolean', default: false },
  { type: 'string', enum: ['active', 'draft', 'unknownFutureValue'] },
  { type: 'string', pattern: '^[a-z]{2}-[0-9]{4}$' },
];

/**
 * An OpenAPI 3.0 document as JSON, shaped like the largest there are (Microsoft Graph: 11,400 operations): every schema refers to about three others,
 * so that from each nearly all can be reached, in circles; half of the operations have a body. The same seed gives the same text.
 */
export function largeDocument({ operations, schemas, seed }: LargeDocument): string {
  const random = randomFrom(seed);
  const below = (count: number): number => Math.floor(random() * count);
  const word = (): string => WORDS[below(WORDS.length)] ?? '';
  const schemaName = (index: number): string => `hub.graph.${WORDS[index % WORDS.length] ?? ''}${index}`;
  const reference = (): Node => ({ $ref: `#/components/schemas/${schemaName(below(schemas))}` });

  const property = (kind: number): Node => {
    if (kind === 0) return reference();
    if (kind === 1) return { type: 'array', items: reference() };
    if (kind === 2) return { anyOf: [reference(), { type: 'object', nullable: true }], description: `The ${word()} of the ${word()}.` };
    return { ...SCALARS[below(SCALARS.length)], description: `The ${word()} of this ${word()}, as its ${word()} has it.` };
  };
  const schema = (): Node => {
    const properties: Node = { id: { type: 'string', readOnly: true, description: 'Names it. Read-only.' } };
    for (let count = 4 + below(8); count > 0; count -= 1) properties[`${word()}${word()}${count}`] = property(below(9));
    const object = {
      title: word(),
      required: ['@odata.type'],
      type: 'object',
      properties: { ...properties, '@odata.type': { type: 'string' } },
    };
    return below(3) === 0 ? { allOf: [reference(), object] } : object;
  };
  const operation = (index: number, method: string, parameters: readonly Node[]): Node => ({
    tags: [word()],
    summary: `${method} the ${word()} of a ${word()}`,
    description: `Reads or changes the ${word()} of one ${word()}. It needs the permission ${word()}.`,
    operationId: `${word()}.${word()}.${method}${index}`,
    parameters,
    ...(method !== 'get' &&
      method !== 'delete' && { requestBody: { required: true, content: { 'application/json': { schema: reference() } } } }),
    responses: {
      '2XX': { description: 'Done', content: { 'application/json': { schema: reference() } } },
      default: { $ref: '#/components/responses/error' },
    },
  });

  const paths: Record<string, Node> = {};
  const methods = ['get', 'patch', 'post', 'delete'];
  for (let index = 0; index < operations; index += 1) {
    const path = `/${word()}s/{${word()}-id}/${word()}${index}`;
    const method = methods[index % 4] ?? 'get';
    const own = [
      {
        name: '$select',
        in: 'query',
        style: 'form',
        explode: false,
        schema: { type: 'array', items: { type: 'string', enum: [word(), `${word()}Id`] } },
      },
    ];
    const parameters =
      method === 'get' ? [...own, { $ref: '#/components/parameters/top' }, { $ref: '#/components/parameters/filter' }] : [];
    const id = /\{(.*)\}/.exec(path)?.[1] ?? '';
    paths[path] = {
      parameters: [{ name: id, in: 'path', required: true, schema: { type: 'string' }, description: `The key of the ${id}` }],
      [method]: operation(index, method, parameters),
    };
  }
  return JSON.stringify({
    openapi: '3.0.4',
    info: { title: 'A large document', version: 'v1.0' },
    servers: [{ url: 'https://graph.example.com/v1.0' }],
    paths,
    components: {
      schemas: Object.fromEntries(Array.from({ length: schemas }, (_, index) => [schemaName(index), schema()])),
      parameters: {
        top: { name: '$top', in: 'query', schema: { type: 'integer', minimum: 0 }, description: 'Show only the first n items' },
        filter: { name: '$filter', in: 'query', schema: { type: 'string' }, description: 'Filter items by property values' },
      },
      responses: { error: { description: 'error', content: { 'application/json': { schema: reference() } } } },
    },
  });
}

/** Mulberry32: numbers from 0 to 1 that depend on the seed alone. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
