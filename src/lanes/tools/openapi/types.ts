import type { JsonObject } from '../../../core/json.ts';
import type { SourceTool } from '../../../core/tools.ts';
import type { SchemeUse } from '../../../upstreams/auth/signers-of-schemes.ts';

/** Bounds on one document. Defaults: 64 MB, 20,000 operations, 100,000 references followed, depth 200, 10,000 alias expansions. */
export interface DocumentLimits {
  readonly bytes: number;
  readonly operations: number;
  readonly references: number;
  readonly depth: number;
  readonly aliases: number;
}

export const DOCUMENT_LIMITS: DocumentLimits = {
  bytes: 64 * 1024 * 1024,
  operations: 20_000,
  references: 100_000,
  depth: 200,
  aliases: 10_000,
};

/** The files that a document may refer to, read beforehand. All paths are relative to one folder, by `/`, and lead to nothing outside it. */
export interface DocumentFolder {
  /** The path of the document itself. */
  readonly entry: string;
  /** The text of each file but the document. */
  readonly files: ReadonlyMap<string, string>;
  /** Why files that are referred to are not among `files`, each as a sentence. */
  readonly unread: ReadonlyMap<string, string>;
}

/** One document to compile. It crosses a worker boundary, so it is plain data. */
export interface CompileInput {
  /** JSON or YAML, or a zip archive of several such files as `data:application/zip;base64,…`. */
  readonly text: string;
  /** Absent for a document that came alone; unused for an archive. */
  readonly folder?: DocumentFolder;
  /** The name of the service; the room for tool names depends on it. */
  readonly name: string;
  /** The file as messages show it. */
  readonly file?: string;
  /** The document's own address, which relative servers are resolved against. */
  readonly url?: string;
  /** Tool names given earlier by identity (`GET /pets/{id}`); kept while the operation exists. */
  readonly names?: Readonly<Record<string, string>>;
  /** Applied in order before anything is read (OpenAPI Overlay). */
  readonly overlays?: readonly OverlayText[];
  readonly options?: { readonly outputSchemas?: boolean; readonly exposeOperation?: boolean };
  readonly limits?: Partial<DocumentLimits>;
}

/** An overlay file: its name as messages show it, relative to the same folder as `CompileInput.file`. */
export interface OverlayText {
  readonly file: string;
  readonly text: string;
}

/** How far reading a document is: parsed, its files and overlays put together, or so many of its operations compiled. */
export interface CompileProgress {
  readonly done: number;
  readonly operations: number;
}

/** What a document became. Plain data: survives a structured clone. */
export interface CompiledService {
  readonly document: { readonly title: string; readonly version: string; readonly openapi: string };
  readonly description?: string;
  readonly operations: readonly CompiledOperation[];
  /** Schemas that the whole forms of operations refer to, as JSON, by their name under `$defs`. */
  readonly definitions: ReadonlyMap<string, string>;
  readonly warnings: readonly ReportWarning[];
  readonly leftOut: readonly LeftOut[];
  /** Identity to tool name, of every operation the document has that was ever named. */
  readonly names: Readonly<Record<string, string>>;
  /** Token endpoint of the document's first client-credentials flow. */
  readonly tokenUrl?: string;
  /** Where the document's server leads that stands relative to its address; absent for a server with an address of its own, and for a document without. */
  readonly base?: string;
  /** Changes when anything a client or a call can notice changes. */
  readonly hash: string;
}

export interface ReportWarning {
  readonly pointer: string;
  readonly code: string;
  readonly message: string;
}

/** An operation that is not a tool, and why. The method is `*` when all of a path is left out. */
export interface LeftOut extends ReportWarning {
  readonly method: string;
  readonly path: string;
}

export interface CompiledOperation {
  /** Method and path key as the document has them: `GET /pets/{id}`. */
  readonly identity: string;
  readonly tool: SourceTool;
  /**
   * What is left out of `tool`: the description as it stands, and the input schema with references into `definitions` of the service. `cuts` says
   * in words what it is.
   */
  readonly whole?: { readonly description?: string; readonly schema?: JsonObject; readonly cuts: readonly string[] };
  readonly method: string;
  readonly path: string;
  /** Absolute address; while the document's own address is unknown a path, or empty for its root. */
  readonly server: string;
  /** Encoded literal text, and places of `parameters`, in turn. */
  readonly route: readonly (string | number)[];
  /** The query that stands in the path key itself, without `?`; empty when there is none. */
  readonly fixedQuery: string;
  readonly parameters: readonly ParameterBinding[];
  readonly body?: BodyBinding;
  readonly security: OperationSecurity;
  /** Value of the Accept header. */
  readonly accept: string;
  /** What name, description and arguments cost in a list of tools, about. */
  readonly tokens: number;
  /** How an answer becomes structured content; absent without an output schema. */
  readonly output?: 'plain' | 'wrapped';
  /** The input schema of `tool` as JSON. */
  readonly schemaText: string;
}

/**
 * The operation itself, complete: the one place where a compiled operation changes. Its input schema stays JSON until somebody reads it: of the
 * thousands of tools that a document can have few are listed or called, and as objects schemas take three times the memory.
 */
export function withSchema(operation: Omit<CompiledOperation, 'schemaText'>, schemaText: string): CompiledOperation {
  const { definition } = operation.tool;
  let schema: JsonObject | undefined;
  Object.defineProperty(definition, 'inputSchema', { enumerable: true, get: () => (schema ??= JSON.parse(schemaText) as JsonObject) });
  return Object.assign(operation, { schemaText });
}

export type ParameterPlace = 'path' | 'query' | 'header' | 'cookie' | 'querystring';

export type ParameterStyle =
  | 'form'
  | 'spaceDelimited'
  | 'pipeDelimited'
  | 'tabDelimited'
  | 'deepObject'
  | 'simple'
  | 'label'
  | 'matrix'
  | 'cookie'
  /** A `content` parameter: JSON text. */
  | 'content';

/** Which argument goes where, and how it is written there. */
export interface ParameterBinding {
  /** Name of the argument. */
  readonly key: string;
  /** Name on the wire, exactly. */
  readonly name: string;
  readonly place: ParameterPlace;
  readonly required: boolean;
  readonly style: ParameterStyle;
  readonly explode: boolean;
  /** Reserved characters of RFC 3986 stay as they are. */
  readonly reserved: boolean;
  /** label without explode joins by `.` (3.0.0 to 3.0.3 and 3.1.0) rather than by `,`. */
  readonly dots?: boolean;
}

export interface BodyBinding {
  readonly key: string;
  readonly required: boolean;
  /** Sent as it stands, parameters of the media type included. */
  readonly mediaType: string;
  readonly kind: 'json' | 'form' | 'multipart' | 'text' | 'binary';
  /** What the document says about single fields of a form. */
  readonly fields?: readonly FieldBinding[];
}

export interface FieldBinding {
  readonly name: string;
  readonly style?: ParameterStyle;
  readonly explode?: boolean;
  readonly reserved?: boolean;
  readonly contentType?: string;
  /** The argument is base64 of the bytes that are sent. */
  readonly binary?: boolean;
}

export interface OperationSecurity {
  /** Any one alternative is enough; within one, all are needed. An empty alternative: no credential is needed. */
  readonly alternatives: readonly (readonly SchemeUse[])[];
  /** The operation itself says `security: []`. */
  readonly open: boolean;
}

/** Why a document is refused. Lines and columns count from 1. */
export interface DocumentFault {
  readonly code: string;
  readonly message: string;
  readonly pointer?: string;
  readonly line?: number;
  readonly column?: number;
  /** The file it is about, such as an overlay, when that is not the document itself. */
  readonly file?: string;
}

/** A document that is refused as a whole. */
export class DocumentError extends Error {
  readonly code: string;
  readonly pointer: string | undefined;
  readonly line: number | undefined;
  readonly column: number | undefined;
  readonly file: string | undefined;

  constructor(code: string, message: string, place: Omit<DocumentFault, 'code' | 'message'> = {}) {
    super(message);
    this.name = 'DocumentError';
    this.code = code;
    this.pointer = place.pointer;
    this.line = place.line;
    this.column = place.column;
    this.file = place.file;
  }

  /** The same as plain data, without what is not known. */
  toFault(): DocumentFault {
    const { code, message, pointer, line, column, file } = this;
    return {
      code,
      message,
      ...(pointer !== undefined && { pointer }),
      ...(line !== undefined && { line }),
      ...(column !== undefined && { column }),
      ...(file !== undefined && { file }),
    };
  }
}
