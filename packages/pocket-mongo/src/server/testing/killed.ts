import { type Files, realFiles } from '../../log/files.js'
import { openStore } from '../../store/open.js'
import { startTestMongo } from '../../testing/start.js'

/*
 * A server that is killed (SIGKILL) in the moment between the sync of a write and its answer, once it was told to be: the
 * next write is kept, and nobody hears of it. It ends with the one that started it.
 */

const [dataDir = '', port = '0'] = process.argv.slice(2)
let armed = false

const files: Files = {
  ...realFiles,
  async open(path, options) {
    const file = await realFiles.open(path, options)
    return {
      ...file,
      async sync() {
        await file.sync()
        if (armed) process.kill(process.pid, 'SIGKILL')
      },
    }
  },
}

const store = await openStore({ dataDir }, { files })
const running = await startTestMongo({ store, port: Number(port) })
process.on('message', () => {
  armed = true
  process.send?.('armed')
})
process.on('disconnect', () => process.exit(1))
process.send?.(running.port)
