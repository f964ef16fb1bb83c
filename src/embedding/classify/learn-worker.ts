import { parentPort, workerData } from 'node:worker_threads';
import { learn, type Lesson } from './learn.ts';

parentPort!.postMessage(learn(workerData as Lesson));
