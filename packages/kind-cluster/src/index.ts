export {
  BundleError,
  type BundleManifest,
  holdManifest,
  type MadeBundle,
  type MakeBundleOptions,
  makeBundle,
  NPM_CACHE,
  otherSources,
  partsFolder,
  readManifest,
  type Unpacked,
  type UnpackOptions,
  unpackBundle,
} from './bundle/index.js'
export {
  type ClusterStatus,
  clusterStatus,
  type LayerStatus,
  type NodeStatus,
  type StatusInput,
  type WorkloadStatus,
} from './cluster-status.js'
export {
  CANARY_FOLDER,
  type CanaryOptions,
  type CanaryReport,
  type CanaryStep,
  type Cause,
  canaryNamespace,
  canarySteps,
  causeOf,
  type ExamineOptions,
  examine,
  type Finding,
  findingsJson,
  type Ground as DoctorGround,
  type KindConfig,
  knownCauses,
  type Machine,
  type Paint,
  type Platform,
  platformOf,
  readKindConfig,
  renderFinding,
  runCanary,
  summaryOf,
  thisMachine,
} from './doctor/index.js'
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
export { adoptCluster, checkOurs, clusterUid, kindClusters, NotOursError } from './ours.js'
export { type Outside, type OutsideState, outsideName } from './outside/index.js'
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
export { clusterName, contextName, forPlace, kubectlArgs, type Place, placeOf } from './place.js'
export { type UnpackedBundle, unpackedBundle, unpackedFolder } from './plan/bundled.js'
export { type Commands, commandsFor } from './plan/commands.js'
export { downPlan } from './plan/down.js'
export { imagesOf } from './plan/images.js'
export { doors, type LayerName, layerNames, layerOff, layerOn } from './plan/layers.js'
export { planJson, type RenderOptions, renderPlan } from './plan/render.js'
export type { Action, Part, Plan, Step } from './plan/types.js'
export { type PlanInput, upPlan } from './plan/up.js'
export { readFacts, type WorkloadFacts } from './plan/workloads.js'
export { type ClusterRecord, forgetCluster, RecordError, readRecord } from './record.js'
export { ActionError } from './run-action.js'
export { type Failure, type PlanEvent, type PlanOutcome, type RunPlanOptions, runPlan } from './run-plan.js'
export { type MadeSecrets, makeSecrets, type Told } from './secrets/cluster-secrets.js'
export { readSecrets } from './secrets/live-secrets.js'
export { type TakeDownOptions, type TakenDown, takeDown } from './take-down.js'
export {
  type ClusterLayer,
  type InForce,
  KindTarget,
  type KindTargetOptions,
  type Live,
  type Switch,
  TargetError,
  type TargetErrorCode,
} from './target/index.js'
export { commandLine, namesOurCluster, shortCommandLine } from './tools/command-line.js'
export { type CommandLog, fileLog, noLog } from './tools/log.js'
export { shellWord } from './tools/shell-word.js'
export { type SpawnOptions, spawnTools } from './tools/spawn.js'
export { type Command, type CommandResult, type RunOptions, ToolError, type ToolName, type Tools } from './tools.js'
