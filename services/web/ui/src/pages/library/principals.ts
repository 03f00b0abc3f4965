import type { Group, User } from '../../api/types';

export interface PrincipalInfo {
  name: string;
  /** What tells two of the same name apart. */
  note: string;
}

/** What is known of each principal, by the text that a grant uses. */
export function principalsOf(
  users: readonly User[],
  groups: readonly Group[],
): ReadonlyMap<string, PrincipalInfo> {
  return new Map([
    ...groups.map((group): [string, PrincipalInfo] => [
      `group:${group.id}`,
      { name: group.name, note: group.description },
    ]),
    ...users.map((user): [string, PrincipalInfo] => [
      `user:${user.id}`,
      { name: user.display_name || user.username, note: user.username },
    ]),
  ]);
}
