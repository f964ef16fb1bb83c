import type { AnyExtension } from './extensions.ts';
import type { Problem } from '../core/contracts/resource.ts';
import type { HubConfig, VirtualServerConfig } from './types.ts';

/** Files that a document refers to, by their path (with `/`) from its folder. */
export interface RelatedFiles {
  readonly files: ReadonlyMap<string, string>;
  /** Why others that it refers to were not read, each as a sentence. */
  readonly unread: ReadonlyMap<string, string>;
  /** Absolute paths of all that was looked for, and how each was. */
  readonly looked: ReadonlyMap<string, string>;
  readonly hash: string;
}

/** One OpenAPI document that a file holds. */
export interface SpecFile {
  /** The service it is served as. */
  readonly service: string;
  /** Absolute path. */
  readonly file: string;
  /** Path relative to the folder of the configuration, for messages. */
  readonly display: string;
  /** Of an archive `data:application/zip;base64,…`. Empty when the file could not be read; then `error` says why. */
  readonly text: string;
  /** SHA-256 in hex of the text, and of the files that it refers to. */
  readonly hash: string;
  /** Absent for a document in one file, and for an archive, which has its files inside. */
  readonly related?: RelatedFiles;
  /** Milliseconds since the epoch. */
  readonly modified: number;
  readonly bytes: number;
  readonly error?: Problem;
}

/** One OpenAPI overlay file. */
export interface OverlayFile {
  /** Path relative to the folder of the configuration, for messages. */
  readonly display: string;
  /** Empty when the file could not be read; then `error` says why. */
  readonly text: string;
  /** Changes whenever the text does. */
  readonly hash: string;
  readonly error?: Problem;
}

export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export interface LoadOptions {
  /** Path of hubgate.yaml. */
  readonly file: string;
  /** The environment that `${env:NAME}` reads; the process's own when absent. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** A missing hubgate.yaml is an empty one. */
  readonly optional?: boolean;
  /** What was loaded before: files that did not change are not read again. */
  readonly previous?: LoadedConfig;
  /** Extensions of the hub itself; with those of `extensions:` they are the names that policies and sources may have. Unchecked when absent. */
  readonly builtins?: readonly AnyExtension[];
  /** Names of services and servers that the store has: a virtual server of a file may take tools from them. */
  readonly storedSources?: readonly string[];
}

/** All that the files say, with all that is wrong with it. */
export interface LoadedConfig {
  /** False when there is a problem of severity `error`: the whole change is refused. */
  readonly ok: boolean;
  /** Absent unless `ok`. */
  readonly config: HubConfig | undefined;
  readonly documents: readonly SpecFile[];
  /** Overlays by the service to whose document they apply, in order. */
  readonly overlays: ReadonlyMap<string, readonly OverlayFile[]>;
  readonly virtualServers: ReadonlyMap<string, VirtualServerConfig>;
  /** Extensions of `extensions:`. */
  readonly extensions: readonly AnyExtension[];
  readonly problems: readonly Problem[];
  /** Where an entry stands: `/services/github/auth`, `/virtual-servers/support/overrides/…`; the nearest parent when it is not there itself. */
  locate(pointer: string): Place | undefined;
  /** Absolute paths of all that was read or looked for. */
  readonly files: readonly string[];
  /** Resolved secret values, for the redactor. */
  readonly secrets: readonly string[];
}
