import type { Balancer, BalancerExtension } from '../../../../src/core/contracts/balancer.ts';

/** An instance without options, at once. */
export function made(extension: BalancerExtension): Balancer {
  return extension.create({}, undefined as never) as Balancer;
}
