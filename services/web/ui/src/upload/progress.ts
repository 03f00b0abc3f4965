import type { DocumentEvent, DocumentItem } from '../api/types';

/** The list after an event: the document replaced, added in front, or taken away. */
export function applyDocumentEvent(list: readonly DocumentItem[], event: DocumentEvent): DocumentItem[] {
  const { document, deleted } = event;
  const known = list.some((item) => item.id === document.id);
  if (deleted) return list.filter((item) => item.id !== document.id);
  if (!known) return [document, ...list];
  return list.map((item) => (item.id === document.id ? document : item));
}

/** Reads an event's data; `null` for a keep-alive or something newer than this page. */
export function parseDocumentEvent(data: string): DocumentEvent | null {
  try {
    const value = JSON.parse(data) as Partial<DocumentEvent> | null;
    return value?.document?.id ? { document: value.document, deleted: value.deleted ?? false } : null;
  } catch {
    return null;
  }
}

export const inProgress = (document: DocumentItem) =>
  document.status !== 'indexed' && document.status !== 'failed';
