import { describe, expect, it } from 'vitest';
import { readPreferences } from './preferences';

describe('readPreferences', () => {
  it.each([
    [null, 'zh-CN', { language: 'zh', theme: 'system' }],
    [null, 'fr', { language: 'en', theme: 'system' }],
    ['{"language":"en","theme":"dark"}', 'zh-CN', { language: 'en', theme: 'dark' }],
    ['{"language":"xx","theme":"pink"}', 'en', { language: 'en', theme: 'system' }],
    ['nonsense', 'zh', { language: 'zh', theme: 'system' }],
    ['null', 'zh', { language: 'zh', theme: 'system' }],
  ])('%s in %s', (stored, browser, expected) => expect(readPreferences(stored, browser)).toEqual(expected));
});
