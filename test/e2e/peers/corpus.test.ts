import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compileDocument } from '../../../src/lanes/tools/openapi/compile.ts';
import type { CompiledOperation } from '../../../src/lanes/tools/openapi/types.ts';
import { committedDocuments, type CorpusDocument, corpusDocuments } from '../../corpus/documents.ts';
import { drawCall, NoValue, randomOf } from '../../corpus/draw.ts';
import { missedGoals } from '../../corpus/goals.ts';
import { judgeDocument, type Verdict } from '../../corpus/judge.ts';
import { declaredOperations } from '../../corpus/operation.ts';
import { argumentsOf, chosenMediaType, CONNECTION, ourRequest } from '../../corpus/ours.ts';
import { differences, mediaTypeOf, type Reading, readAddress, readContent, readPairs } from '../../corpus/reading.ts';
import { referees } from '../../corpus/referees/all.ts';
import { Resolver } from '../../corpus/resolver.ts';
import { type EchoServer, type RecordedRequest, sendJson, startEchoServer } from '../../support/echo-server.ts';
import { formOf } from '../../support/form-of.ts';
import { type Hub, startHub } from '../../support/start-hub.ts';

const SEED = 20_261_121;
/** Of the operations of a document, but no more than so many; all of the nastiest. */
const PART = 0.1;
const MOST = 25;
/** Characters: what Prism reads in a second. */
const PRISM_UP_TO = 100_000;
/** Compared on the wire: everything that a request can have. */
const ON_THE_WIRE = ['bodies', 'names', 'parameters', 'style-matrix', 'swagger2-corners', 'v31', 'v32'];
const NOTHING = { path: false, query: () => false, header: () => false, cookie: () => false, body: false, field: () => false };

function* documentsOf(wanted?: (id: string) => boolean): Iterable<CorpusDocument> {
  yield* corpusDocuments(wanted) ?? committedDocuments(wanted);
}

describe('operations of the corpus', () => {
  it('a sample becomes the requests that the referees send', async () => {
    const verdicts = await judgeSample();
    const total = (key: 'compared' | 'right' | 'sets'): number => verdicts.reduce((sum, one) => sum + one[key], 0);
    console.log(`${total('right')} of ${total('compared')} operations right, ${total('sets')} sets of arguments`);
    for (const { id, faults } of verdicts) for (const fault of faults) console.error(`${id}: ${fault}`);
    expect(missedGoals(verdicts, corpusDocuments() === undefined)).toEqual([]);
    expect(total('compared')).toBeGreaterThan(100);
  });

  describe('through a hub', () => {
    let echo: EchoServer;
    let hub: Hub;
    let documents: CorpusDocument[];

    beforeAll(async () => {
      documents = [...documentsOf((id) => ON_THE_WIRE.some((name) => id === `nasty/${name}`))];
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
  for (const document of documentsOf()) {
    const part = Math.min(PART, MOST / document.operations);
    const wanted = (identity: string): boolean => document.group === 'nasty' || randomOf(`${SEED} ${document.id} ${identity}`)() < part;
    verdicts.push(await judgeDocument(document, judges, { seed: SEED, prismUpTo: PRISM_UP_TO, wanted }));
  }
  return verdicts;
}

interface WireCall {
  readonly tool: string;
  readonly args: Record<string, unknown>;
  readonly built: Reading;
  readonly headers: readonly string[];
}

async function* callsOf({ text, root }: CorpusDocument, client: Client): AsyncGenerator<WireCall> {
  const { operations, definitions } = compileDocument({ name: 'svc', text });
  const compiled = new Map(operations.map((one) => [one.identity, one]));
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
        const built = await ourRequest(one, args, definitions);
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
  const written = mediaType === 'multipart/form-data' ? await formOf(body, headers) : body;
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
