export { clusterName, contextName, kubectlArgs, type Place, placeOf } from './place.js'
export { type Command, type CommandResult, type RunOptions, ToolError, type ToolName, type Tools } from './tools.js'
