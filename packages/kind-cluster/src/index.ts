export {
  CANARY_FOLDER,
  type CanaryOptions,
  type CanaryReport,
  type CanaryStep,
  canaryNamespace,
  canarySteps,
  runCanary,
} from './doctor/canary.js'
export {
  type Asked,
  type CollectOptions,
  type Context as EvidenceContext,
  collectSightings,
  envoySighting,
  type FollowOptions,
  followSightings,
  hubbleSighting,
  type Party,
  refusalSightings,
  ztunnelSighting,
} from './evidence/index.js'
export {
  PINS_FILE,
  type PinnedTool,
  type Pins,
  PinsError,
  parsePins,
  readPins,
  type ToolPin,
  wantedVersion,
} from './pins.js'
export { clusterName, contextName, kubectlArgs, type Place, placeOf } from './place.js'
export { commandLine, namesOurCluster, shellWord, shortCommandLine } from './tools/command-line.js'
export { type CommandLog, fileLog, noLog } from './tools/log.js'
export { type SpawnOptions, spawnTools } from './tools/spawn.js'
export { type Command, type CommandResult, type RunOptions, ToolError, type ToolName, type Tools } from './tools.js'
