// Imported first and alone: an old Node must be told that it is old before anything else can go wrong.
const [major, minor] = process.versions.node.split('.').map(Number)

if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`Node.js 20.19 or newer is needed, and this is ${process.versions.node} (${process.execPath}).`)
  console.error('Install a newer one (the .nvmrc here is for nvm, fnm and asdf), then try again.')
  process.exit(2)
}
