import type { Speech } from './client.ts';

export interface CellName {
  readonly agent: string;
  readonly way: 'direct' | 'hub';
  readonly speech: Speech;
  readonly scenario: string;
}

/** Why callers of some agents see something else than those who call the fixture agent itself in the same words. */
export interface Fact {
  readonly why: string;
  /** What they see, by scenario, as JSON. */
  readonly sees: Readonly<Record<string, unknown>>;
  /** Absent: through the hub. */
  readonly way?: CellName['way'];
  /** Of those that are absent here: all. */
  readonly agents?: readonly string[];
  readonly speaks?: (speech: Speech) => boolean;
}

const APPLICATIONS = ['app-streamed', 'app-polled'];
const PARTS = 'parts of every kind, there and back';
const VERSION = 'error: version not supported';
const OF_03 = ['v03-jsonrpc', 'v03-http'];
const speaks = (version: Speech['version'], binding?: Speech['binding']) => (speech: Speech) =>
  speech.version === version && (binding === undefined || speech.binding === binding);

export const FACTS: readonly Fact[] = [
  {
    why: 'An HTTP application gets and gives what its template says; that of this test knows texts alone.',
    sees: { [PARTS]: [{ kind: 'text', value: 'You said: parts\nsecond', filename: '', mediaType: '' }] },
    agents: APPLICATIONS,
  },
  {
    why: 'The answer of a job comes in one piece, when the job has ended.',
    sees: { 'stream, 200 chunks in order': { chunks: 1, last: 'completed' } },
    agents: ['app-polled'],
  },
  ...APPLICATIONS.map((agent): Fact => ({
    why: 'An HTTP application has no extended card: clients stay with the public one.',
    sees: { 'the extended card': [agent] },
    agents: [agent],
  })),
  {
    why: 'Agents of 0.3 and HTTP applications notify with the whole task. Callers of 1.0 get it as the `task` of an event, in place of a `statusUpdate`.',
    sees: {
      'push delivery, set with the message': { token: 'secret-token', words: 'task' },
      'push delivery, set while it works': { last: 'completed', token: 'later-token', words: 'task' },
    },
    agents: [...OF_03, ...APPLICATIONS],
    speaks: speaks('1.0'),
  },
  {
    why: "The SDK's own server of 0.3 over HTTP+JSON forgets the names of files, which the hub sends it.",
    sees: {
      [PARTS]: [
        { kind: 'text', value: 'second', filename: '', mediaType: '' },
        { kind: 'raw', value: 'bytes', filename: '', mediaType: 'text/plain' },
        { kind: 'url', value: 'https://files.example.com/b.png', filename: '', mediaType: 'image/png' },
        { kind: 'data', value: { list: [1, 'two', null], deep: { yes: true } }, filename: '', mediaType: '' },
      ],
    },
    agents: ['v03-http'],
    speaks: (speech) => !speaks('0.3', 'HTTP+JSON')(speech),
  },
  {
    why: "The SDK's own server of 0.3 tells that a task cannot be subscribed to inside a stream, where its client does not find the code. The hub answers without a stream, and the client knows the error.",
    sees: {
      'error: unknown task': {
        get: 'TaskNotFoundError',
        cancel: 'TaskNotFoundError',
        subscribe: 'TaskNotFoundError',
        message: 'TaskNotFoundError',
      },
      'subscribe to what has ended': 'UnsupportedOperationError',
    },
    speaks: speaks('0.3', 'JSONRPC'),
  },
  {
    why: 'Below the paths of 0.3 the hub writes errors as 0.3 does (`{ code, message }`), also that a version is not supported; the SDK writes that one as 1.0 does.',
    sees: { [VERSION]: { status: 400, code: -32009 } },
    speaks: speaks('0.3', 'HTTP+JSON'),
  },
  ...(
    [
      ['v03-jsonrpc', { status: 200, code: -32602, id: 7 }],
      ['v03-http', { status: 201 }],
    ] as const
  ).map(([agent, seen]): Fact => ({
    why: 'An agent of 0.3 that is called directly does not know the header `A2A-Version`. Through the hub such a call is refused.',
    sees: { [VERSION]: seen },
    way: 'direct',
    agents: [agent],
  })),
];

export function factFor({ agent, way, speech, scenario }: CellName): Fact | undefined {
  return FACTS.find(
    (fact) =>
      scenario in fact.sees && (fact.way ?? 'hub') === way && (fact.agents?.includes(agent) ?? true) && (fact.speaks?.(speech) ?? true),
  );
}
