import type { DocumentItem } from '../../api/types';

/** Whether a document was not read because its file asks for a password, or for another one. */
export const needsPassword = (document: Pick<DocumentItem, 'status' | 'error'>): boolean =>
  document.status === 'failed' &&
  (document.error?.code === 'encrypted' || document.error?.code === 'wrong_password');
