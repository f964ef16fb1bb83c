import type { ModelRouteConfig } from '../../../config/types.ts';
import type { Problem } from '../../../core/contracts/resource.ts';
import { compileGlob } from '../../../core/conditions.ts';
import { modelNames } from './route.ts';

/** A route as the configuration has it, with its name and place. */
export interface PlacedRoute {
  readonly name: string;
  readonly pointer: string;
  readonly config: ModelRouteConfig;
}

/** Routes that never take a call, because one before them takes all that they would, and names that two routes have. */
export function shadowedRoutes(routes: readonly PlacedRoute[]): Problem[] {
  const problems: Problem[] = [];
  for (const [index, route] of routes.entries()) {
    const before = routes.slice(0, index);
    const twin = before.find(({ name }) => name === route.name);
    const cover = before.find((other) => covers(other.config, route.config));
    if (cover !== undefined) {
      const message = `The route ${route.name} never takes a call: ${cover.name}, which stands before it, takes all that it would take. Move it up, or narrow the other.`;
      problems.push({ code: 'route_unreachable', severity: 'warning', message, pointer: route.pointer });
    } else if (twin !== undefined) {
      const message = `Two routes are named ${route.name}. Give one of them another name: records and limits cannot tell them apart.`;
      problems.push({ code: 'route_name_twice', severity: 'warning', message, pointer: route.pointer });
    }
  }
  return problems;
}

/** Whatever `later` takes, `earlier` takes. What cannot be told counts as no. */
function covers(earlier: ModelRouteConfig, later: ModelRouteConfig): boolean {
  if (!coversModels(earlier, later)) return false;
  const asked = conditionsOf(later);
  return [...conditionsOf(earlier)].every(([what, value]) => value === asked.get(what));
}

function coversModels(earlier: ModelRouteConfig, later: ModelRouteConfig): boolean {
  const taken = modelNames(earlier);
  const asked = modelNames(later);
  if (taken === undefined || asked === undefined) return taken === undefined;
  // A star in a name is a star.
  const covering = earlier.match?.model === undefined ? namesOnly(later) : coversGlob;
  return asked.every((name) => taken.some((one) => covering(one, name)));
}

function namesOnly({ match }: ModelRouteConfig): (name: string, other: string) => boolean {
  return (name, other) => name === other && (match?.model === undefined || !/[*?]/.test(other));
}

/** A glob that takes another glob's text takes all that one stands for: its own stars match the other's. */
function coversGlob(glob: string, other: string): boolean {
  return glob === other || (!glob.includes('?') && compileGlob(glob)(other));
}

/** All that a route asks besides the model, as texts that can be compared. */
function conditionsOf({ match = {}, when }: ModelRouteConfig): Map<string, string> {
  const conditions = new Map<string, string>();
  const add = (what: string, value: string | undefined): void => {
    if (value !== undefined && value !== '*') conditions.set(what, value);
  };
  add('consumer', match.consumer === '*' ? 'any with a name' : match.consumer);
  add('group', match.group === '*' ? 'any group' : match.group);
  for (const [header, value] of Object.entries(match.header ?? {})) conditions.set(`header ${header.toLowerCase()}: ${value}`, value);
  add('intent', match.intent);
  add('when', when);
  return conditions;
}
