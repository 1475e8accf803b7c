/** One way to have the layers: all on, all but one, or one by itself. */
export type Setting =
  | { readonly kind: 'all'; readonly on: readonly string[] }
  | { readonly kind: 'without' | 'alone'; readonly layer: string; readonly on: readonly string[] }

/** All on, then each one off, then each one by itself: the order in which a target is switched least. */
export function settingsOf(layers: readonly string[]): readonly Setting[] {
  return [
    { kind: 'all', on: layers },
    ...layers.map((layer): Setting => ({ kind: 'without', layer, on: layers.filter((other) => other !== layer) })),
    ...layers.map((layer): Setting => ({ kind: 'alone', layer, on: [layer] })),
  ]
}

/** `with all layers on`, `without 20-network`, `with 20-network alone`. */
export function settingText(setting: Setting): string {
  if (setting.kind === 'all') return 'with all layers on'
  return setting.kind === 'without' ? `without ${setting.layer}` : `with ${setting.layer} alone`
}
