import { registerHooks } from 'node:module';

/** To be called from a preload (`node --import`): the process gets one source file with `before` replaced, or does not start. */
export function patchSource(file: string, before: string, after: string): void {
  registerHooks({
    load(url, context, next) {
      const loaded = next(url, context);
      if (!url.endsWith(file)) return loaded;
      const source = String(typeof loaded.source === 'string' ? loaded.source : Buffer.from(loaded.source as Uint8Array));
      if (source.split(before).length !== 2) throw new Error(`${file} does not say "${before}" once, so the test cannot replace it`);
      return { ...loaded, source: source.replace(before, () => after) };
    },
  });
}
