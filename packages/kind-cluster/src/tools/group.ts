import { setTimeout as wait } from 'node:timers/promises'

/** How often it is asked whether a process group is gone. */
const ASK_MS = 20

/** Sends a signal to a process group, and says whether there was anybody to get it. */
function signalGroup(leader: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-leader, signal)
    return true
  } catch {
    return false
  }
}

/**
 * Ends a process group: asked to (TERM), and not asked any more (KILL) after `graceMs`. What a tool has started ends with it, unless
 * it made a group of its own.
 */
export async function endGroup(leader: number, graceMs: number): Promise<void> {
  signalGroup(leader, 'SIGTERM')
  // A stopped process does not hear a TERM.
  signalGroup(leader, 'SIGCONT')
  for (const deadline = performance.now() + graceMs; performance.now() < deadline; await wait(ASK_MS))
    if (!signalGroup(leader, 0)) return
  signalGroup(leader, 'SIGKILL')
}

/** Each group that runs, and how it is ended when this process exits. */
const running = new Map<number, 'asked' | 'killed'>()

function endAll(): void {
  for (const [leader, how] of running)
    if (how === 'killed') signalGroup(leader, 'SIGKILL')
    else {
      signalGroup(leader, 'SIGTERM')
      signalGroup(leader, 'SIGCONT')
    }
}

/**
 * Keeps in mind that a group runs, so that it does not outlive this process however that exits. One whose leader takes back what it has
 * done, and starts groups itself, is `asked` to end: killed, it could not end those. A leader of ours that was asked before leaves at once.
 */
export function tied(leader: number, how: 'asked' | 'killed'): () => void {
  if (running.size === 0) process.on('exit', endAll)
  running.set(leader, how)
  return () => {
    running.delete(leader)
    if (running.size === 0) process.off('exit', endAll)
  }
}
