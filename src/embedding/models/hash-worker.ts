import { parentPort, workerData } from 'node:worker_threads';
import { digest, type HashRequest } from './hash-file.ts';

parentPort?.postMessage(await digest(workerData as HashRequest));
