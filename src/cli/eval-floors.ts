import { CommandError } from './settings.ts';
import { unknown } from './unknown.ts';

/** What a figure must reach. */
export interface Floor {
  readonly name: string;
  readonly least: number;
}

/** How a floor was kept. */
export interface Judged extends Floor {
  /** Absent when nothing was measured that it is about. */
  readonly value?: number;
  readonly ok: boolean;
}

/** Reads floors such as `R@5=0.8` and `accuracy=90%`; `names` are the figures that there are. Throws CommandError. */
export function readFloors(texts: readonly string[], names: readonly string[]): Floor[] {
  return texts.map((text) => {
    const [, given = '', number = '', percent] = /^([^=]+)=(\d+(?:\.\d+)?|\.\d+)(%)?$/.exec(text) ?? [];
    const least = Number(number) / (percent === undefined ? 1 : 100);
    if (given === '' || !(least <= 1))
      throw new CommandError(`--floor takes a figure and a number from 0 to 1, such as ${names[0]}=0.8, and not "${text}".`, 2);
    const name = names.find((one) => one.toLowerCase() === given.toLowerCase());
    if (name === undefined) throw new CommandError(unknown('figure', given, names), 2);
    return { name, least };
  });
}

export function judgeFloors(floors: readonly Floor[], figures: ReadonlyMap<string, number | undefined>): Judged[] {
  return floors.map(({ name, least }) => {
    const value = figures.get(name);
    // What is a third in thought is a little less in a computer.
    return { name, least, ...(value === undefined ? {} : { value }), ok: value !== undefined && value >= least - 1e-9 };
  });
}

/** One line for each floor. */
export function floorText({ name, least, value, ok }: Judged): string {
  if (value === undefined) return `floor ${name}=${least} is not reached: the file has nothing that it could be measured by`;
  return `floor ${name}=${least} is ${ok ? 'reached' : 'not reached'}: ${value.toFixed(3)}`;
}
