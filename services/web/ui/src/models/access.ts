import type { ModelAccess } from '../api/types';

/** The server reads names in any case, and without Ollama's tag `latest`. */
const plain = (name: string) =>
  name
    .trim()
    .toLowerCase()
    .replace(/:latest$/, '');

/** The groups that a model is kept for; `null` where it is everybody's. */
export function groupsOf(access: ModelAccess, model: string): readonly string[] | null {
  const entry = (access.restricted ?? []).find((item) => plain(item.model) === plain(model));
  return entry ? (entry.groups ?? []) : null;
}

/** The same rules with another one for this model. */
export function withGroups(
  access: ModelAccess,
  model: string,
  groups: readonly string[] | null,
): ModelAccess {
  const others = (access.restricted ?? []).filter((item) => plain(item.model) !== plain(model));
  return { restricted: groups === null ? others : [...others, { model, groups: [...groups] }] };
}
