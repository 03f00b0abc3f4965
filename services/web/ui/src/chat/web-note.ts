import type { Message } from './conversation';

/**
 * Whether the web was searched for an answer and gave nothing to it. A search that fails does not fail the answer, so
 * nothing else says that the web is not in it.
 */
export function searchedInVain({ state, steps, sources }: Message): boolean {
  return (
    state === 'done' &&
    steps.some((step) => step.step === 'searching') &&
    !sources.some((source) => source.kind === 'web')
  );
}
