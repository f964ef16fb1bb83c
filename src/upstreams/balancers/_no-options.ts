/** The schema of a balancer that takes none. */
export const NO_OPTIONS = { type: 'object', additionalProperties: false, properties: {} } as const;
