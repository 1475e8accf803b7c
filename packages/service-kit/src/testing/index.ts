// For the tests of services: a service as a process of its own, and clients that tell what became of every request.
export { chromiumArgs, findChromium, openBrowser } from './browser.js'
export { Child, type Line } from './child.js'
export { ENOUGH, load, type Sent, send, underLoad } from './load.js'
