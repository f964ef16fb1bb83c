import { afterEach, beforeEach, expect, it } from 'vitest';
import { GatewayError } from '../../../src/core/errors.ts';
import type { Host } from '../../../src/core/contracts/extension.ts';
import type { Store } from '../../../src/core/contracts/store.ts';
import { buildGeneration } from '../../../src/gateway/generation.ts';
import type { ToolsGeneration } from '../../../src/lanes/tools/build.ts';
import type { ModelsLane } from '../../../src/lanes/models/lane.ts';
import type { ToolsLane } from '../../../src/lanes/tools/lane.ts';
import { definePolicy } from '../../../src/policy.ts';
import { openStore } from '../../../src/storage/open-store.ts';
import { load } from '../config/folder.ts';

let store: Store;

beforeEach(async () => {
  store = await openStore('sqlite::memory:', { dataDir: '/nowhere', secretKey: Buffer.alloc(32, 7) });
});
afterEach(() => store.close());

it.each([
  ['that is known refuses the change', new GatewayError('bad_request', 'No such glob.')],
  ['of any kind is thrown on', new Error('a fault of ours')],
])('an error in what the lane has to say %s, and lets go of sources and policies', async (_, error) => {
  const gone: string[] = [];
  const holder = definePolicy({
    name: 'holder',
    stage: 'observe',
    options: { type: 'object' },
    create: () => ({ [Symbol.asyncDispose]: async () => void gone.push('policy') }),
  });
  const tools = {} as ToolsGeneration;
  const lane = {
    build: async () => tools,
    problems() {
      throw error;
    },
    release: async (generation: ToolsGeneration) => void (generation === tools && gone.push('sources')),
  } as unknown as ToolsLane;
  const parts = {
    store,
    stored: [],
    documents: new Map(),
    tools: lane,
    models: { build: async () => ({}), problems: () => [] } as unknown as ModelsLane,
    builtins: [holder],
    hostOf: () => ({}) as Host,
    listensOn: '127.0.0.1',
    folder: '/nowhere',
    addSecret: () => undefined,
  };
  const built = buildGeneration(await load('policies: [{ holder: {} }]', { builtins: [holder] }), parts, undefined);
  if (error instanceof GatewayError) expect(await built).toMatchObject({ refused: [{ code: 'build_failed', message: error.message }] });
  else await expect(built).rejects.toBe(error);
  expect(gone).toEqual(['sources', 'policy']);
});
