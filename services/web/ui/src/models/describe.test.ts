import { describe, expect, it } from 'vitest';
import type { AdminModel, CatalogueModel } from '../api/types';
import { actionsOf, capabilitiesOf, families, fitOf, isMoving, loadingModel } from './describe';

const model = (part: Partial<AdminModel> = {}): AdminModel => ({
  id: 'qwen3',
  engine: 'llamacpp',
  state: 'available',
  context_tokens: 4096,
  capabilities: {
    chat: true,
    embed: false,
    rerank: false,
    vision: false,
    tools: true,
    thinking: true,
    quotes: false,
  },
  ...part,
});

describe('what can be done with a model', () => {
  it('follows from its state', () => {
    expect(actionsOf(model())).toMatchObject({ load: true, unload: false, pin: false, remove: true });
    expect(actionsOf(model({ state: 'ready', pinned: false }))).toMatchObject({
      load: false,
      unload: true,
      pin: true,
    });
    expect(actionsOf(model({ state: 'ready', pinned: true }))).toMatchObject({ pin: false, unpin: true });
    expect(Object.values(actionsOf(model({ state: 'loading' })))).not.toContain(true);
  });

  it('is nothing where the model is part of the program', () => {
    const builtIn = model({ id: 'extractive', engine: 'extractive', state: 'ready', pinned: false });
    expect(Object.values(actionsOf(builtIn))).not.toContain(true);
  });

  it('leaves models of other servers where they are', () => {
    expect(actionsOf(model({ engine: 'upstream' })).remove).toBe(false);
  });
});

describe('what is shown', () => {
  it('names what a model can do beside answering', () => {
    expect(capabilitiesOf(model())).toEqual(['tools', 'thinking']);
  });

  it('says whether the memory is there', () => {
    const memory = { total_bytes: 100, available_bytes: 40 };
    expect([
      fitOf(40, memory),
      fitOf(41, memory),
      fitOf(101, memory),
      fitOf(null, memory),
      fitOf(1, null),
    ]).toEqual(['fits', 'tight', 'large', 'unknown', 'unknown']);
  });

  it('asks again soon while something moves', () => {
    expect(isMoving([model()])).toBe(false);
    expect(isMoving([model({ state: 'loading' })])).toBe(true);
    expect(isMoving([model({ queue: { running: 0, waiting: 1 } })])).toBe(true);
  });

  it('groups the catalogue by family', () => {
    const entry = (name: string, family?: string): CatalogueModel => ({ name, family: family ?? null });
    const grouped = families([entry('qwen3:4b', 'Qwen3'), entry('phi4'), entry('qwen3:8b', 'Qwen3')]);
    expect(grouped.map(([family, models]) => [family, models.length])).toEqual([
      ['Qwen3', 2],
      ['phi4', 1],
    ]);
  });

  it('finds the model that an answer waits for', () => {
    expect(loadingModel([model(), model({ id: 'big', state: 'loading' })])?.id).toBe('big');
    expect(loadingModel([model()])).toBeNull();
  });
});
