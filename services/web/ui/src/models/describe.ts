/** What is said of a model: pure functions from the server's words to keys of the dictionaries. */
import type { AdminModel, CatalogueModel, Model, ModelMemory } from '../api/types';

type Capability = 'vision' | 'tools' | 'thinking' | 'embed' | 'rerank';

/** What a model can do beside answering, in the order in which it is shown. */
const SHOWN: readonly Capability[] = ['vision', 'tools', 'thinking', 'embed', 'rerank'];

export function capabilitiesOf({ capabilities }: Pick<Model, 'capabilities'>): Capability[] {
  return SHOWN.filter((name) => capabilities[name]);
}

/** Whether a model is part of the program: those are neither unloaded nor deleted. */
export const isBuiltIn = (model: Pick<Model, 'id' | 'engine'>): boolean =>
  ['extractive', 'stub', 'route'].includes(model.engine) || model.id === 'embedding';

export interface Actions {
  load: boolean;
  unload: boolean;
  pin: boolean;
  unpin: boolean;
  remove: boolean;
}

/** What can be done with a model as it stands. */
export function actionsOf(model: AdminModel): Actions {
  const free = !isBuiltIn(model) && model.state !== 'loading';
  const loaded = model.state === 'ready';
  const pinned = model.pinned === true;
  return {
    load: free && !loaded,
    unload: free && loaded,
    // A runtime that says nothing of pins has none.
    pin: free && model.pinned != null && !pinned,
    unpin: free && pinned,
    remove: free && model.engine !== 'upstream',
  };
}

/** Whether the list changes by itself soon, so that it is worth asking for again at once. */
export const isMoving = (models: readonly AdminModel[]): boolean =>
  models.some(
    (model) => model.state === 'loading' || (model.queue?.running ?? 0) + (model.queue?.waiting ?? 0) > 0,
  );

export type Fit = 'fits' | 'tight' | 'large' | 'unknown';

/** Whether a model's memory is there: now, only if other models make room, or not at all. */
export function fitOf(neededBytes: number | null | undefined, memory: ModelMemory | null | undefined): Fit {
  if (neededBytes == null || memory == null) return 'unknown';
  if (neededBytes > memory.total_bytes) return 'large';
  return neededBytes > memory.available_bytes ? 'tight' : 'fits';
}

/** Quantisations that most people want, best first. */
const USUAL = ['q4_k_m', 'q8_0'];

/** The quantisation that is shown for a model of the catalogue, with the memory that it needs. */
export function usualSize({ memory_bytes }: CatalogueModel): { quantization: string; bytes: number } | null {
  const sizes = Object.entries(memory_bytes);
  const wanted = USUAL.map((name) => sizes.find(([quantization]) => quantization.toLowerCase() === name));
  const found = wanted.find((size) => size !== undefined) ?? sizes[0];
  return found ? { quantization: found[0], bytes: found[1] } : null;
}

/** The models of the catalogue by family, in the catalogue's order. */
export function families(models: readonly CatalogueModel[]): [family: string, models: CatalogueModel[]][] {
  const found = new Map<string, CatalogueModel[]>();
  for (const model of models) {
    found.set(model.family, [...(found.get(model.family) ?? []), model]);
  }
  return [...found];
}

/** The model that is being read into memory while an answer waits for it. */
export const loadingModel = (models: readonly Model[]): Model | null =>
  models.find((model) => model.capabilities.chat && model.state === 'loading') ?? null;
