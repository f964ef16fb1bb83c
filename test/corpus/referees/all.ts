import { readmeHar } from './oas-to-har.ts';
import type { Referee } from './referee.ts';
import { swaggerClient } from './swagger-client.ts';
import { uriTemplates } from './uri-template.ts';

/** Everybody who is asked what a request should be. */
export function referees(): readonly Referee[] {
  return [swaggerClient(), readmeHar(), uriTemplates()];
}
