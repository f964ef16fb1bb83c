import type { IncomingMessage, ServerResponse } from 'node:http';
import express from 'express';
import { ANONYMOUS, type Consumer } from '../core/consumer.ts';
import { GatewayError } from '../core/errors.ts';
import type { EdgeExchange } from './exchange.ts';
import { exchangeOf } from './exchange.ts';
import type { Mount } from './mount.ts';

export interface RouteSteps {
  identify(req: IncomingMessage): Consumer | undefined;
  unauthenticated(exchange: EdgeExchange): void;
  fail(exchange: EdgeExchange, thrown: unknown): void;
}

type Params = Readonly<Record<string, string>>;
type Answer = (exchange: EdgeExchange, params: Params) => void;
type Router = (req: IncomingMessage, res: ServerResponse, unmatched: (error?: unknown) => void) => void;

/** Paths whose route is kept. Finding one costs as much as half of a small request (8 of 20 us); which one it is depends on the path alone. */
const MAX_KNOWN = 1_000;

/**
 * Express finds the mount, nothing else of it is in the way. Whatever is not open asks for the credential first, so that without one every
 * address, method and parameter looks the same.
 */
export function createRoutes(mounts: readonly Mount[], steps: RouteSteps): (exchange: EdgeExchange) => void {
  const known = new Map<string, { answer: Answer; params: Params }>();
  const router = express.Router({ caseSensitive: true });
  for (const [path, group] of Map.groupBy(mounts, (mount) => mount.path)) {
    const answer = answerAt(group, steps);
    router.all(path, (req) => {
      const exchange = exchangeOf(req);
      const params = Object.freeze(joined(req.params));
      if (known.size >= MAX_KNOWN) known.clear();
      known.set(exchange.path, { answer, params });
      answer(exchange, params);
    });
  }

  return (exchange) => {
    const route = known.get(exchange.path);
    if (route !== undefined) return route.answer(exchange, route.params);
    return (router as unknown as Router)(exchange.req, exchange.res, (error) => {
      if (!authenticate(exchange, steps)) return;
      steps.fail(exchange, new GatewayError(error === undefined || error === null ? 'not_found' : 'bad_request'));
    });
  };
}

function answerAt(group: readonly Mount[], steps: RouteSteps): Answer {
  const byMethod = new Map(group.flatMap((mount) => mount.methods.map((method) => [method, mount] as const)));
  const allowed = [...byMethod.keys()].join(', ');
  const anyOpen = group.some((mount) => mount.open === true);

  return (exchange, params) => {
    const mount = byMethod.get(exchange.req.method as string);
    const open = mount === undefined ? anyOpen : mount.open;
    if (open !== true && !(typeof open === 'function' && open(params) ? welcome(exchange, steps) : authenticate(exchange, steps))) return;
    if (mount === undefined) {
      if (group.some((other) => other.exists?.(params) === false)) return steps.fail(exchange, new GatewayError('not_found'));
      exchange.res.setHeader('allow', allowed);
      steps.fail(exchange, new GatewayError('method_not_allowed', `This address takes ${allowed}.`));
      return;
    }
    try {
      mount.handle(exchange, params)?.catch((thrown: unknown) => steps.fail(exchange, thrown));
    } catch (thrown) {
      steps.fail(exchange, thrown);
    }
  };
}

function authenticate(exchange: EdgeExchange, steps: RouteSteps): boolean {
  const consumer = steps.identify(exchange.req);
  if (consumer === undefined) steps.unauthenticated(exchange);
  else exchange.consumer = consumer;
  return consumer !== undefined;
}

/** Where nobody has to say who he is: whoever does is known, and a wrong key is none. */
function welcome(exchange: EdgeExchange, steps: RouteSteps): true {
  exchange.consumer = steps.identify(exchange.req) ?? ANONYMOUS;
  return true;
}

/** A wildcard comes in segments. */
function joined(params: Readonly<Record<string, string | string[]>>): Params {
  const plain: Record<string, string> = Object.create(null);
  for (const [name, value] of Object.entries(params)) plain[name] = Array.isArray(value) ? value.join('/') : value;
  return plain;
}
