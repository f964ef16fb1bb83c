import { expect } from 'vitest';
import type { CallRecord } from '../../../src/core/contracts/call-log.ts';
import type { RunningExample } from './start-example.ts';
import type { ExampleRoute } from './start-stand-ins.ts';

interface Place {
  /** As records have it. */
  readonly name: string;
  readonly api: string | undefined;
  readonly route: ExampleRoute;
}

/** Calls each route that no check has called yet, by the names that it says, for each consumer. Fails for one that gives no answer. */
export async function assertRoutesAnswer(example: RunningExample, untaken: readonly string[]): Promise<void> {
  for (const mock of example.mocks.values()) mock.reset();
  const answered = new Set((await example.calls()).filter(isAnswered).map(({ route }) => route));
  const silent = placesOf(example).filter(({ name }) => !answered.has(name) && !untaken.includes(name));
  const stillSilent: string[] = [];
  for (const place of silent) if (!(await answers(example, place))) stillSilent.push(place.name);
  expect(stillSilent, 'routes that no call of the runner takes: call them in the check').toEqual([]);
}

async function answers(example: RunningExample, { name, api, route }: Place): Promise<boolean> {
  const models =
    route.match?.model === undefined ? [route.name ?? [], route.aliases ?? []].flat() : [route.match.model.replaceAll(/[*?]/g, 'x')];
  for (const { name: as } of example.config.consumers ?? [{ name: undefined }]) {
    for (const model of models) {
      const answer = await example.chat(model, { ...(as === undefined ? {} : { as }), ...(api === undefined ? {} : { api }) });
      const record = answer.status === 200 ? await answer.record() : undefined;
      if (record !== undefined && record.route === name) return true;
    }
  }
  return false;
}

function isAnswered({ lane, outcome }: CallRecord): boolean {
  return lane === 'models' && outcome === 'ok';
}

function placesOf({ config: { models = [], apis = {} } }: RunningExample): Place[] {
  const placed = (routes: readonly ExampleRoute[], api?: string): Place[] =>
    routes
      .map((route, index) => ({ name: `${api === undefined ? '' : `${api}/`}${route.name ?? `route-${index + 1}`}`, api, route }))
      .filter((place) => place.route.enabled !== false);
  return [
    ...placed(models),
    ...Object.entries(apis).flatMap(([api, { models: own = [], enabled }]) => (enabled === false ? [] : placed(own, api))),
  ];
}
