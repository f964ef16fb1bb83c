import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

// Stripping types and compiling is half of a start; where the folder cannot be written, nothing is lost. Before any import of ours.
enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/hubgate', import.meta.url)));
const { runProgram } = await import('./cli/program.ts');

// A reader such as `head` may go before everything is written.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

const code = await runProgram(process.argv);
// Workers and connections that are kept for a next time must not hold the process.
if (code !== undefined) process.stdout.write('', () => process.exit(code));
