import type { DocumentItem } from '../../api/types';

/** A document in the list, and how many documents it is shown inside of. */
export interface NestedRow {
  document: DocumentItem;
  depth: number;
}

/**
 * Documents in their order, each followed by what is inside of it where it is unfolded. A document whose holder is not in
 * the list stands by itself.
 */
export function nestedRows(documents: readonly DocumentItem[], unfolded: ReadonlySet<string>): NestedRow[] {
  const known = new Set(documents.map((document) => document.id));
  const top: DocumentItem[] = [];
  const inside = new Map<string, DocumentItem[]>();
  for (const document of documents) {
    const holder = document.parent_id;
    if (!holder || !known.has(holder)) top.push(document);
    else inside.set(holder, [...(inside.get(holder) ?? []), document]);
  }
  const rows: NestedRow[] = [];
  const add = (list: readonly DocumentItem[], depth: number) => {
    for (const document of list) {
      rows.push({ document, depth });
      if (unfolded.has(document.id)) add(byPath(inside.get(document.id) ?? []), depth + 1);
    }
  };
  add(top, 0);
  return rows;
}

const byPath = (list: readonly DocumentItem[]) =>
  [...list].sort((one, other) => one.path.localeCompare(other.path));

/** The folder of a document as it is shown in a list: within its holder for what is inside of one. */
export function folderOf(document: DocumentItem, holderPath: string | null): string {
  const end = document.path.lastIndexOf('/');
  const folder = end < 0 ? '' : document.path.slice(0, end);
  if (holderPath === null) return folder;
  return folder === holderPath ? '' : folder.replace(`${holderPath}/`, '');
}
