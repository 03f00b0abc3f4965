/** What can be done about sensitive content, and what of it can be looked for. */
import type { Desensitisation, SensitiveKind } from '../../api/types';

export const MODES = ['off', 'flag', 'mask', 'block'] as const;

export const KINDS = [
  'email',
  'phone',
  'identity_number',
  'bank_card',
  'passport',
  'licence_plate',
  'address',
  'secret',
  'word',
] as const satisfies readonly SensitiveKind[];

/** The words of a text area: one a line, or separated by commas of either kind. */
export function wordsOf(text: string): string[] {
  const words = text.split(/[\n,，、;；]/).map((word) => word.trim());
  return [...new Set(words.filter((word) => word !== ''))];
}

/** The policy as it is sent: when every kind is wanted, none is named, so that new kinds will be looked for too. */
export function policyOf(
  mode: Desensitisation['mode'],
  kinds: ReadonlySet<SensitiveKind>,
  text: string,
): Desensitisation {
  const chosen = KINDS.filter((kind) => kinds.has(kind));
  return { mode, kinds: chosen.length === KINDS.length ? [] : chosen, words: wordsOf(text) };
}

export function kindsOf(policy: Desensitisation | undefined): Set<SensitiveKind> {
  return new Set(policy?.kinds?.length ? policy.kinds : KINDS);
}
