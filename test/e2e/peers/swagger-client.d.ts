/** The parts of swagger-client that the oracle uses; the package has no types. */
declare module 'swagger-client' {
  interface Execution {
    readonly spec: object;
    readonly pathName: string;
    readonly method: string;
    readonly parameters: Readonly<Record<string, unknown>>;
    readonly requestBody?: unknown;
    readonly requestContentType?: string;
    readonly contextUrl?: string;
  }
  const SwaggerClient: {
    resolveSubtree(spec: object, path: readonly string[]): Promise<{ readonly spec: unknown; readonly errors: readonly unknown[] }>;
    /** Rejects for an answer that is not 2xx. */
    execute(execution: Execution): Promise<{ readonly status: number }>;
  };
  export default SwaggerClient;
}
