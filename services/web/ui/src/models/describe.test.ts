import { describe, expect, it } from 'vitest';
import type { AdminModel, CatalogueModel } from '../api/types';
import { actionsOf, capabilitiesOf, families, fitOf, isMoving, loadingModel, usualSize } from './describe';

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

const entry = (part: Partial<CatalogueModel>): CatalogueModel => ({
  name: 'qwen3-4b',
  title: 'Qwen3 4B',
  family: 'Qwen3',
  sources: ['qwen3:4b'],
  parameter_size: '4.0B',
  context_tokens: 40_960,
  memory_bytes: {},
  languages: ['zh', 'en'],
  license: 'Apache-2.0',
  capabilities: ['chat'],
  installed: false,
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
    const grouped = families([
      entry({ name: 'qwen3-4b' }),
      entry({ name: 'phi-4', family: 'Phi' }),
      entry({ name: 'qwen3-8b' }),
    ]);
    expect(grouped.map(([family, models]) => [family, models.length])).toEqual([
      ['Qwen3', 2],
      ['Phi', 1],
    ]);
  });

  it('shows the memory of the quantisation that most people want', () => {
    expect(usualSize(entry({ memory_bytes: { BF16: 9, Q4_K_M: 3, Q8_0: 5 } }))).toEqual({
      quantization: 'Q4_K_M',
      bytes: 3,
    });
    expect(usualSize(entry({ memory_bytes: { BF16: 9 } }))).toEqual({ quantization: 'BF16', bytes: 9 });
    expect(usualSize(entry({ memory_bytes: {} }))).toBeNull();
  });

  it('finds the model that an answer waits for', () => {
    expect(loadingModel([model(), model({ id: 'big', state: 'loading' })])?.id).toBe('big');
    expect(loadingModel([model()])).toBeNull();
  });
});
