import { jsonRpcWire } from './json-rpc.ts';
import { restWire } from './rest.ts';
import type { BindingName, VersionName, Wire } from './wire.ts';

const WIRES: Readonly<Record<BindingName, Readonly<Record<VersionName, Wire>>>> = {
  JSONRPC: { '1.0': jsonRpcWire('1.0'), '0.3': jsonRpcWire('0.3') },
  'HTTP+JSON': { '1.0': restWire('1.0'), '0.3': restWire('0.3') },
};

export function wireOf(version: VersionName, binding: BindingName): Wire {
  return WIRES[binding][version];
}
