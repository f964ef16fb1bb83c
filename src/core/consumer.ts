/** Who calls. Comes from a verified credential only, never from anything else in the request. */
export interface Consumer {
  readonly name: string;
  readonly groups: readonly string[];
  /** True in open mode, where no consumer is configured and the hub listens on loopback. Anonymous is in no group and has no name to a rule. */
  readonly anonymous: boolean;
}

/** The one caller of open mode. */
export const ANONYMOUS: Consumer = Object.freeze({ name: 'anonymous', groups: Object.freeze([]), anonymous: true });
