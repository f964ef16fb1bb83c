#!/usr/bin/env node
// Plain JavaScript for any Node: starts the hub on this one, or on the one that `npm ci` pinned beside it when this one is too old.
// Standard output belongs to the command (`hubgate stdio` speaks a protocol on it), so this file writes to standard error only.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const NEEDED = 24;
const beside = (path) => new URL(`../${path}`, import.meta.url);

if (Number.parseInt(process.versions.node, 10) >= NEEDED) {
  // A clone has src; a published package has dist only, because Node strips no types below node_modules.
  const main = ['src/main.ts', 'dist/main.js'].map(beside).find((url) => existsSync(url));
  if (main) await import(main.href);
  else stop('Neither src/main.ts nor dist/main.js is there. Install hubgate again, or run "npm run build" in a clone.');
} else {
  const pinned = ['node_modules/node/bin/node', 'node_modules/node/bin/node.exe']
    .map((path) => fileURLToPath(beside(path)))
    .find(existsSync);
  if (pinned) runWith(pinned);
  else
    stop(
      `Hubgate needs Node ${NEEDED} or newer; this is ${process.version}. Install a newer Node, or run "npm ci" in a clone, which brings its own.`,
    );
}

function stop(message) {
  console.error(message);
  process.exitCode = 1;
}

function runWith(node) {
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' });
  const forward = (signal) => child.kill(signal);
  process.on('SIGTERM', forward).on('SIGHUP', forward);
  // A terminal sends its interrupt to the child as well, and a second one would mean "stop at once".
  process.on('SIGINT', process.stdin.isTTY ? () => {} : forward);
  child.on('error', (error) => stop(`${node} does not start: ${error.message}`));
  child.on('exit', (code, signal) => {
    if (signal) process.removeAllListeners(signal).kill(process.pid, signal);
    else process.exitCode = code ?? 1;
  });
}
