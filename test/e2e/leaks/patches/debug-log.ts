import { patchSource } from './patch-source.ts';

patchSource('/src/telemetry/log.ts', "level = 'info'", "level = 'debug'");
