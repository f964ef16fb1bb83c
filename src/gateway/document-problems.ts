import type { Problem } from '../core/contracts/resource.ts';
import type { Hub } from './hub.ts';

/** What is wrong with documents as they are now. One of a file is an error; one that could not be fetched now may be there at the next try. */
export function documentProblems(hub: Hub): Problem[] {
  const { documents } = hub.slot.current.content.merged;
  return [...documents].flatMap(([service, place]) =>
    hub.lanes.tools.entryProblems('services', service).map((problem): Problem => {
      if (place.from === 'url' && problem.file === undefined)
        return { ...problem, severity: 'warning', message: `${service}: ${problem.message}` };
      return place.from === 'file' ? { file: place.display, ...problem } : { ...problem, message: `${service}: ${problem.message}` };
    }),
  );
}
