import { useState } from 'react';
import * as api from '../../api/endpoints';
import type { DocumentItem } from '../../api/types';
import { useT } from '../../i18n/use';
import { PasswordField } from '../../kit/controls';
import { FormDialog } from '../../kit/dialog';

/** Asks for the password of a protected file and has it read with it. */
export function PasswordDialog({ document, onClose }: { document: DocumentItem; onClose: () => void }) {
  const t = useT();
  const [password, setPassword] = useState('');
  return (
    <FormDialog
      title={t('documents.password_title')}
      submitLabel={t('documents.password_submit')}
      disabled={password === ''}
      onSubmit={() => api.retryDocument(document.id, password)}
      onClose={onClose}
    >
      <p className="dialog-text">{t('documents.password_text', { name: document.name })}</p>
      <PasswordField
        label={t('documents.password')}
        autoComplete="off"
        maxLength={1024}
        autoFocus
        value={password}
        onChange={(event) => setPassword(event.target.value)}
      />
    </FormDialog>
  );
}
