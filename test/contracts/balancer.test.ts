import { readdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { BalancerExtension } from '../../src/core/contracts/balancer.ts';
import { examineBalancer } from './balancer.ts';

const FOLDER = `${import.meta.dirname}/../../src/upstreams/balancers`;
const files = readdirSync(FOLDER).filter((file) => !file.startsWith('_'));

it('there are balancers', () => {
  expect(files).toEqual(
    expect.arrayContaining(['cost', 'error-rate', 'latency', 'least-busy', 'round-robin', 'weight'].map((name) => `${name}.ts`)),
  );
});

for (const file of files) {
  const { default: extension } = (await import(`${FOLDER}/${file}`)) as { default: BalancerExtension };
  examineBalancer(file, extension);
}
