/** The conversation is a tree: editing a question or regenerating an answer adds a sibling. */

interface Node {
  id: string;
  parent_id: string | null;
}

/** Children of each parent (`null` holds the roots), in the order given. */
function childrenOf<T extends Node>(messages: readonly T[]): Map<string | null, T[]> {
  const known = new Set(messages.map((message) => message.id));
  const children = new Map<string | null, T[]>();
  for (const message of messages) {
    const parent = message.parent_id !== null && known.has(message.parent_id) ? message.parent_id : null;
    const siblings = children.get(parent);
    if (siblings) siblings.push(message);
    else children.set(parent, [message]);
  }
  return children;
}

export interface PathStep<T> {
  message: T;
  /** The ids of the alternatives at this point, this one included. */
  siblings: string[];
}

/**
 * The messages from the first to the newest leaf, following at each fork the branch in `chosen` (parent id to
 * child id, `''` for the root) and else the newest.
 */
export function visiblePath<T extends Node>(
  messages: readonly T[],
  chosen: ReadonlyMap<string, string>,
): PathStep<T>[] {
  const children = childrenOf(messages);
  const path: PathStep<T>[] = [];
  let parent: string | null = null;
  // Each step consumes one message, so a damaged tree cannot loop.
  for (let steps = 0; steps < messages.length; steps += 1) {
    const siblings: T[] | undefined = children.get(parent);
    if (!siblings) break;
    const wanted = chosen.get(parent ?? '');
    const message: T | undefined = siblings.find((sibling) => sibling.id === wanted) ?? siblings.at(-1);
    if (!message) break;
    path.push({ message, siblings: siblings.map((sibling) => sibling.id) });
    parent = message.id;
  }
  return path;
}
