// Workers that run TypeScript: what `--import tsx` set up for the main thread does not hold in them.

import { join } from 'node:path'
import { Worker } from 'node:worker_threads'

/** Starts a module of support/fixtures in a worker. */
export function startWorker(module: string, workerData: unknown): Worker {
  return new Worker(join(import.meta.dirname, 'worker.mjs'), {
    workerData,
    execArgv: [],
    env: { ...process.env, NETLINK_CT_WORKER: module },
  })
}
