import { STATUS_CODES } from 'node:http';
import type { Problem } from '../core/contracts/resource.ts';
import { GatewayError, type ErrorCode } from '../core/errors.ts';

/** One thing that is wrong with a request: a JSON pointer into its body, `?name` for a parameter, or a place in a file. */
export interface FieldError {
  readonly path: string;
  readonly message: string;
}

/** A refusal of the admin API that says what is wrong with which field. */
export class Refusal extends GatewayError {
  readonly errors: readonly FieldError[];
  readonly headers: Readonly<Record<string, string>>;
  /** Members that the answer has besides (RFC 9457, section 3.2). */
  readonly members: object;

  constructor(
    code: ErrorCode,
    message?: string,
    {
      errors = [],
      headers = {},
      members = {},
    }: { errors?: readonly FieldError[]; headers?: Readonly<Record<string, string>>; members?: object } = {},
  ) {
    super(code, message);
    this.name = 'Refusal';
    this.errors = errors;
    this.headers = headers;
    this.members = members;
  }
}

/** A problem of the configuration as a field of the request. What stands in a file is named by its place there. */
export function fieldError({ file, line, column, pointer, message }: Problem): FieldError {
  const place = file === undefined ? undefined : [file, line, column].filter((part) => part !== undefined).join(':');
  return { path: place ?? pointer ?? '', message };
}

/** The body of an error answer (RFC 9457), always with `errors`. */
export function problemBody(error: GatewayError): object {
  const { status, code, message } = error;
  const { errors, members } = error instanceof Refusal ? error : { errors: [], members: {} };
  return { ...members, type: 'about:blank', title: STATUS_CODES[status] ?? 'Error', status, code, detail: message, errors };
}
