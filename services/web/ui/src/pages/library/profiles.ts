import type { ChunkProfile } from '../../api/types';

/** Every way to cut documents, in the order in which they are offered. */
export const PROFILES: readonly ChunkProfile[] = [
  'general',
  'manual',
  'law',
  'qa',
  'table',
  'presentation',
  'page',
];

const FORMATS: readonly [RegExp, ChunkProfile][] = [
  [/\.(pptx?|odp|key)$/i, 'presentation'],
  [/\.(xlsx?|ods|csv|tsv)$/i, 'table'],
];

/** The profile that most of the documents' formats speak for; `null` when they do not agree on one. */
export function suggestedProfile(names: readonly string[]): ChunkProfile | null {
  const counts = new Map<ChunkProfile, number>();
  for (const name of names) {
    const profile = FORMATS.find(([ending]) => ending.test(name))?.[1];
    if (profile) counts.set(profile, (counts.get(profile) ?? 0) + 1);
  }
  const [best] = [...counts].sort((one, other) => other[1] - one[1]);
  return best && best[1] * 2 > names.length ? best[0] : null;
}
