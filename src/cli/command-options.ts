import { InvalidArgumentError, Option, type Command } from 'commander';
import { ADDRESSES, type Settings } from './settings.ts';

/** The exit code; undefined while the command goes on by itself. */
export type Done = number | undefined | void;

/** Makes an action of commander of what a command does; the settings stand before its arguments. */
export type Act = <A extends unknown[]>(
  run: (settings: Settings, ...args: A) => Promise<Done>,
  after?: number | 'goes on',
) => (...args: unknown[]) => Promise<void>;

/** What every command takes. */
export function withPlaces(command: Command): Command {
  return command
    .addOption(new Option('--config <file>', 'the configuration').env('HUBGATE_CONFIG').default('hubgate.yaml'))
    .addOption(new Option('--data <folder>', 'keys, tokens and the store').env('HUBGATE_DATA').default('data'));
}

/** What commands take that run a hub or ask one. */
export function withHub(command: Command): Command {
  const host = (flags: string, about: string, env: string, preset: string) => new Option(flags, about).env(env).default(preset);
  const port = (flags: string, env: string, preset: number) =>
    new Option(flags, 'its port; 0 takes a free one').env(env).default(preset).argParser(readPort);
  return withPlaces(command)
    .addOption(host('--host <address>', 'where the hub listens', 'HUBGATE_HOST', ADDRESSES.host))
    .addOption(port('--port <number>', 'HUBGATE_PORT', ADDRESSES.port))
    .addOption(host('--admin-host <address>', 'where its admin API listens', 'HUBGATE_ADMIN_HOST', ADDRESSES.adminHost))
    .addOption(port('--admin-port <number>', 'HUBGATE_ADMIN_PORT', ADDRESSES.adminPort));
}

/** Which view of the tools. */
export function withView(command: Command): Command {
  return command
    .addOption(new Option('--server <name>', 'a virtual server, service, upstream server or agent; else all sources together'))
    .addOption(new Option('--as <consumer>', 'the consumer; needed as soon as there are consumers'));
}

function readPort(value: string): number {
  const number = /^\d{1,5}$/.test(value) ? Number(value) : Number.NaN;
  if (number <= 65_535) return number;
  throw new InvalidArgumentError('A port is a number from 0 to 65535.');
}

/** Reads an option that is a number from 1 to `most`. */
export function upTo(most: number): (value: string) => number {
  return (value) => {
    const number = /^\d{1,4}$/.test(value) ? Number(value) : 0;
    if (number >= 1 && number <= most) return number;
    throw new InvalidArgumentError(`It is a number from 1 to ${most}.`);
  };
}

/** Lines of the help that show how a command is used. */
export function examples(...lines: readonly string[]): string {
  return `\n${lines.length === 1 ? 'Example' : 'Examples'}:\n${lines.map((line) => `  $ ${line}`).join('\n')}`;
}
