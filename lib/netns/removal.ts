// Noticing that a name under /run/netns is gone.

import { type FSWatcher, watch } from 'node:fs'
import { stat } from 'node:fs/promises'

const directory = '/run/netns'

/**
 * Calls `gone` when /run/netns/<name> is no longer the namespace with this inode. Keeps no process alive. Where inotify(7) has no
 * room it never calls.
 */
export function onRemoval(name: string, inode: bigint, gone: () => void): () => void {
  const check = (): void => {
    stat(`${directory}/${name}`, { bigint: true }).then(
      ({ ino }) => ino !== inode && gone(),
      (error: NodeJS.ErrnoException) => error.code === 'ENOENT' && gone(),
    )
  }
  let watcher: FSWatcher | undefined
  try {
    watcher = watch(directory, { persistent: false }, (_, changed) => {
      if (changed === null || changed === name) check()
    })
    watcher.on('error', () => {})
  } catch {
    // As if it could not be noticed.
  }
  // It may have gone before the watching began.
  check()
  return () => watcher?.close()
}
