import * as fc from 'fast-check';
import type { AgentOperation } from '../../../../../src/core/agents.ts';
import type { JsonObject } from '../../../../../src/core/json.ts';

const words = fc.string({ minLength: 1, maxLength: 8 });
/** Segments of dots are no ids in HTTP+JSON: the address would be another one. */
const id = fc.stringMatching(/^[a-zA-Z0-9._~:@/ %?#é-]{1,12}$/u).filter((text) => text !== '.' && text !== '..');
const metadata = fc.dictionary(fc.stringMatching(/^[a-z][a-zA-Z0-9_]{0,6}$/), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 3 });
const base64 = fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes).toString('base64'));
/** JSON has no -0 and no undefined. */
const json = (value: JsonObject): JsonObject => JSON.parse(JSON.stringify(value)) as JsonObject;

function record(
  required: Record<string, fc.Arbitrary<unknown>>,
  optional: Record<string, fc.Arbitrary<unknown>> = {},
): fc.Arbitrary<JsonObject> {
  return fc.record({ ...required, ...optional }, { requiredKeys: Object.keys(required) }).map(json);
}

const part = fc.oneof(
  record({ text: fc.string() }, { metadata }),
  record({ raw: base64 }, { metadata, mediaType: words, filename: words }),
  record({ url: fc.webUrl() }, { metadata, mediaType: words, filename: words }),
  record({ data: fc.jsonValue({ maxDepth: 2 }) }, { metadata: metadata.filter((value) => Object.keys(value).length > 0) }),
);
const parts = fc.array(part, { minLength: 1, maxLength: 3 });
const message = record(
  { messageId: id, role: fc.constantFrom('ROLE_USER', 'ROLE_AGENT'), parts },
  { contextId: id, taskId: id, metadata, extensions: fc.array(words, { maxLength: 2 }) },
);
const state = fc.constantFrom(
  ...['SUBMITTED', 'WORKING', 'COMPLETED', 'FAILED', 'CANCELED', 'INPUT_REQUIRED', 'REJECTED', 'AUTH_REQUIRED', 'UNSPECIFIED'].map(
    (word) => `TASK_STATE_${word}`,
  ),
);
const status = record({ state }, { message, timestamp: fc.constant('2026-01-02T03:04:05.678Z') });
const artifact = record(
  { artifactId: id, parts },
  { name: words, description: words, metadata, extensions: fc.array(words, { maxLength: 2 }) },
);
const task = record(
  { id, contextId: id, status },
  { history: fc.array(message, { maxLength: 2 }), artifacts: fc.array(artifact, { maxLength: 2 }), metadata },
);
const statusUpdate = record({ taskId: id, contextId: id, status }, { metadata });
const artifactUpdate = record({ taskId: id, contextId: id, artifact }, { append: fc.boolean(), lastChunk: fc.boolean(), metadata });
export const event = fc.oneof(record({ task }), record({ message }), record({ statusUpdate }), record({ artifactUpdate }));
const authentication = record({ scheme: fc.constantFrom('Bearer', 'Basic') }, { credentials: words });
const pushConfig = record({ url: fc.webUrl() }, { id, token: words, authentication });
const configuration = record(
  {},
  {
    acceptedOutputModes: fc.array(words, { maxLength: 2 }),
    historyLength: fc.nat(50),
    returnImmediately: fc.constant(true),
    taskPushNotificationConfig: pushConfig,
  },
).filter((value) => Object.keys(value).length > 0);
const taskConfig = record({ taskId: id, url: fc.webUrl(), id }, { token: words, authentication });

/** Requests that both versions have room for. */
export const PARAMS: Readonly<Partial<Record<AgentOperation, fc.Arbitrary<JsonObject>>>> = {
  'message/send': record({ message }, { configuration, metadata }),
  'message/stream': record({ message }, { configuration, metadata }),
  'tasks/get': record({ id }, { historyLength: fc.nat(50) }),
  'tasks/cancel': record({ id }, { metadata }),
  'tasks/resubscribe': record({ id }),
  'tasks/pushNotificationConfig/set': taskConfig,
  'tasks/pushNotificationConfig/get': record({ taskId: id, id }),
  'tasks/pushNotificationConfig/list': record({ taskId: id }),
  'tasks/pushNotificationConfig/delete': record({ taskId: id, id }),
  'agent/card': record({}),
};

/** Requests that 1.0 alone has. */
export const PARAMS_1_0: Readonly<Partial<Record<AgentOperation, fc.Arbitrary<JsonObject>>>> = {
  'tasks/list': record(
    {},
    {
      tenant: id,
      contextId: id,
      status: state,
      pageSize: fc.integer({ min: 1, max: 100 }),
      pageToken: words,
      historyLength: fc.nat(50),
      statusTimestampAfter: fc.constant('2026-01-02T03:04:05Z'),
      includeArtifacts: fc.boolean(),
    },
  ),
  'tasks/get': record({ id, tenant: id }, { historyLength: fc.nat(50) }),
  'message/send': record({ message, tenant: id }, { configuration, metadata, futureField: metadata }),
};

export const RESULTS: Readonly<Partial<Record<AgentOperation, fc.Arbitrary<JsonObject>>>> = {
  'message/send': fc.oneof(record({ task }), record({ message })),
  'tasks/get': task,
  'tasks/cancel': task,
  'tasks/pushNotificationConfig/set': taskConfig,
  'tasks/pushNotificationConfig/get': taskConfig,
  'tasks/pushNotificationConfig/list': record({ configs: fc.array(taskConfig, { maxLength: 3 }), nextPageToken: fc.constant('') }),
  'tasks/pushNotificationConfig/delete': record({}),
};
