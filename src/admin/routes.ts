import { agentRoutes } from './resources/agents.ts';
import { callRoutes } from './resources/calls.ts';
import { documentRoutes } from './resources/documents.ts';
import { entryRoutes } from './resources/entries.ts';
import { keyRoutes } from './resources/keys.ts';
import { overviewRoutes } from './resources/overview.ts';
import { searchRoutes } from './resources/search.ts';
import type { AdminRoute } from './route.ts';

/** All of the admin API but its own description: served and described from this one table. */
export const ROUTES: readonly AdminRoute[] = [
  ...overviewRoutes,
  ...searchRoutes,
  ...callRoutes,
  ...documentRoutes,
  ...agentRoutes,
  ...keyRoutes,
  ...entryRoutes,
];
