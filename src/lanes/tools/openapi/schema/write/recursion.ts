import type { Fragment } from '../fragments.ts';

/** Characters of `{"$ref":"#/$defs/"}`. */
const REFERENCE = 18;

interface Frame {
  readonly fragment: Fragment;
  readonly targets: readonly Fragment[];
  next: number;
  low: number;
  readonly index: number;
}

/**
 * Tells `recursive` and `size` of a fragment and of all it leads to. Tarjan's strongly connected components, without recursion of its own: chains of
 * references are as long as documents make them. `expand` gives a fragment its `json` and `references`.
 */
export function findRecursion(start: Fragment, expand: (fragment: Fragment) => void): void {
  const places = new Map<Fragment, Frame>();
  const component: Fragment[] = [];
  const path: Frame[] = [];
  const enter = (fragment: Fragment): void => {
    expand(fragment);
    const frame = { fragment, targets: fragment.references, next: 0, low: places.size, index: places.size };
    places.set(fragment, frame);
    component.push(fragment);
    path.push(frame);
  };
  if (start.recursive === undefined) enter(start);
  for (let frame = path.at(-1); frame !== undefined; frame = path.at(-1)) {
    const target = frame.targets[frame.next];
    frame.next += 1;
    if (target !== undefined) {
      const met = places.get(target);
      if (target.recursive === undefined && met === undefined) enter(target);
      // Without `recursive` its component is not closed: it leads here.
      else if (target.recursive === undefined && met !== undefined) frame.low = Math.min(frame.low, met.index);
      continue;
    }
    path.pop();
    const parent = path.at(-1);
    if (parent !== undefined) parent.low = Math.min(parent.low, frame.low);
    if (frame.low === frame.index) close(frame.fragment, component);
  }
}

/** Takes the component that begins with `first` off the stack. */
function close(first: Fragment, stack: Fragment[]): void {
  const members = stack.splice(stack.lastIndexOf(first));
  const recursive = members.length > 1 || first.references.includes(first);
  for (const member of members) member.recursive = recursive;
  for (const member of members) {
    member.size = JSON.stringify(member.json).length;
    for (const target of member.references) if (target.recursive === false) member.size += target.size - REFERENCE - target.name.length;
  }
}
