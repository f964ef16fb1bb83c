import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compileDocument } from '../../../src/lanes/tools/openapi/compile.ts';
import type { CompiledOperation } from '../../../src/lanes/tools/openapi/types.ts';
import { type CorpusDocument, corpusDocuments } from '../../corpus/documents.ts';
import { drawCall, NoValue, randomOf } from '../../corpus/draw.ts';
import { judgeDocument, type Verdict } from '../../corpus/judge.ts';
import { declaredOperations } from '../../corpus/operation.ts';
import { argumentsOf, chosenMediaType, CONNECTION, ourRequest } from '../../corpus/ours.ts';
import { differences, mediaTypeOf, type Reading, readAddress, readContent, readPairs } from '../../corpus/reading.ts';
import { referees } from '../../corpus/referees/all.ts';
import { Resolver } from '../../corpus/resolver.ts';
import { type EchoServer, type RecordedRequest, sendJson, startEchoServer } from '../../support/echo-server.ts';
import { type Hub, startHub } from '../../support/start-hub.ts';

const SEED = 20_261_121;
/** Of the operations of a document; all of the hard ones. */
const PART = 0.1;
/** Characters. The few documents above are compared by `npm run test:corpus`. */
const LARGEST = 600_000;
/** Compared on the wire: everything that a request can have. */
const ON_THE_WIRE = ['bodies', 'names', 'parameters', 'style-matrix', 'swagger2-corners', 'v31', 'v32'];
const NOTHING = { path: false, query: () => false, header: () => false, cookie: () => false, body: false, field: () => false };

const present = corpusDocuments() !== undefined;
if (!present) console.log('There is no corpus beside the repository (../shared/openapi-corpus): its requests are not compared.');

describe.skipIf(!present && process.env['HUBGATE_CI'] === undefined)('operations of the corpus', () => {
  it('a sample becomes the requests that the referees send', async () => {
    const verdicts = await judgeSample();
    const total = (key: 'compared' | 'right' | 'sets'): number => verdicts.reduce((sum, one) => sum + one[key], 0);
    console.log(`${total('right')} of ${total('compared')} operations right, ${total('sets')} sets of arguments`);
    expect(verdicts.flatMap(({ id, refused }) => (refused === undefined ? [] : [id]))).toEqual([]);
    expect(verdicts.flatMap(({ id, faults }) => faults.map((fault) => `${id}: ${fault}`)).filter((line) => !isKnown(line))).toEqual([]);
    expect(total('compared')).toBeGreaterThan(300);
  });

  describe('through a hub', () => {
    let echo: EchoServer;
    let hub: Hub;
    let documents: CorpusDocument[];

    beforeAll(async () => {
      documents = [...(corpusDocuments((id) => ON_THE_WIRE.some((name) => id === `nasty/${name}`)) ?? [])];
      echo = await startEchoServer((_, response) => sendJson(response, 200, {}));
      const services = documents.map(
        ({ id }) => `  ${serviceOf(id)}: { spec: openapi-specs/${serviceOf(id)}.json, baseUrl: "${echo.url}" }`,
      );
      const specs = documents.map(({ id, text }) => [`openapi-specs/${serviceOf(id)}.json`, text] as const);
      hub = await startHub({ files: { 'hubgate.yaml': `services:\n${services.join('\n')}\n`, ...Object.fromEntries(specs) } });
    });
    afterAll(async () => {
      await hub?.stop();
      await echo?.stop();
    });

    it('calls arrive as they were built', async () => {
      expect(documents).toHaveLength(ON_THE_WIRE.length);
      const wrong: unknown[] = [];
      let calls = 0;
      for (const document of documents) {
        const client = new Client({ name: 'hubgate-test', version: '1.0.0' });
        await client.connect(new StreamableHTTPClientTransport(new URL(`${hub.url}/mcp/${serviceOf(document.id)}`)));
        for await (const call of callsOf(document, client)) {
          calls += 1;
          const before = echo.requests.length;
          const result = await client.callTool({ name: call.tool, arguments: call.args });
          const [arrived, ...more] = echo.requests.slice(before);
          if (arrived === undefined || more.length > 0) wrong.push([call.tool, more.length, result.content]);
          else {
            const found = differences(await readingOf(arrived), call.built, call.headers, NOTHING);
            if (found.length > 0) wrong.push([call.tool, found]);
          }
        }
        await client.close();
      }
      expect(wrong).toEqual([]);
      expect(calls).toBeGreaterThan(100);
    });
  });
});

async function judgeSample(): Promise<Verdict[]> {
  const verdicts: Verdict[] = [];
  const judges = referees();
  for (const document of corpusDocuments() ?? []) {
    if (document.text.length > LARGEST) continue;
    const wanted = (identity: string): boolean => document.group === 'nasty' || randomOf(`${SEED} ${document.id} ${identity}`)() < PART;
    verdicts.push(await judgeDocument(document, judges, { seed: SEED, wanted }));
  }
  return verdicts;
}

/** No value fits: an object with additionalProperties false inside an allOf whose other part has properties. */
function isKnown(line: string): boolean {
  return line.startsWith('readme/3.0-schema-additional-properties: POST /post: full: refused');
}

interface WireCall {
  readonly tool: string;
  readonly args: Record<string, unknown>;
  readonly built: Reading;
  readonly headers: readonly string[];
}

async function* callsOf({ text, root }: CorpusDocument, client: Client): AsyncGenerator<WireCall> {
  const compiled = new Map(compileDocument({ name: 'svc', text }).operations.map((one) => [one.identity, one]));
  const { tools } = await client.listTools();
  const names = new Map(tools.map(({ name, _meta }) => [identityOf(_meta?.['hubgate/operation']), name]));
  const resolver = new Resolver(root);
  for (const operation of declaredOperations(resolver)) {
    const identity = `${operation.method} ${operation.path}`;
    const [one, tool] = [compiled.get(identity) as CompiledOperation, names.get(identity) ?? ''];
    for (const kind of ['full', 'odd'] as const) {
      try {
        const args = argumentsOf(
          one,
          drawCall(resolver, operation, chosenMediaType(one, operation), kind, randomOf(`${SEED} ${identity} ${kind}`)),
        );
        const built = await ourRequest(one, args);
        const headers = operation.parameters.flatMap(({ place, name }) =>
          place === 'header' && !CONNECTION.has(name.toLowerCase()) ? [name.toLowerCase()] : [],
        );
        if ('reading' in built) yield { tool, args, built: built.reading, headers };
      } catch (error) {
        if (!(error instanceof NoValue)) throw error;
      }
    }
  }
}

function identityOf(operation: unknown): string {
  const { method, path } = operation as { method: string; path: string };
  return `${method} ${path}`;
}

function serviceOf(id: string): string {
  return id.replace('nasty/', '');
}

async function readingOf({ method, path, headers, body }: RecordedRequest): Promise<Reading> {
  const mediaType = mediaTypeOf(headers['content-type']);
  const written =
    mediaType === 'multipart/form-data'
      ? await new Response(new Uint8Array(body), { headers: { 'content-type': headers['content-type'] ?? '' } }).formData()
      : body;
  const content = mediaType === undefined ? undefined : await readContent(written, mediaType);
  const flat = new Map(Object.entries(headers).map(([name, value]) => [name, String(value)]));
  return {
    method,
    ...readAddress(path),
    headers: flat,
    cookies: readPairs(headers.cookie ?? '', '; '),
    ...(content !== undefined && mediaType !== undefined && { mediaType, body: content }),
  };
}
