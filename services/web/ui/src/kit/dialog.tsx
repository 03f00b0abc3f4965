import { X } from 'lucide-react';
import { Dialog as Primitive } from 'radix-ui';
import { useState, type FormEvent, type ReactNode } from 'react';
import { useT } from '../i18n/use';
import { Button, ErrorNotice } from './controls';

export function Dialog({
  title,
  children,
  onClose,
}: {
  title: string;
  children: ReactNode;
  onClose: () => void;
}) {
  const t = useT();
  return (
    <Primitive.Root open onOpenChange={(open) => !open && onClose()}>
      <Primitive.Portal>
        <Primitive.Overlay className="dialog-veil" />
        <Primitive.Content className="dialog" aria-describedby={undefined}>
          <div className="dialog-head">
            <Primitive.Title asChild>
              <h2>{title}</h2>
            </Primitive.Title>
            <Primitive.Close className="icon-button" aria-label={t('common.close')}>
              <X size={18} />
            </Primitive.Close>
          </div>
          {children}
        </Primitive.Content>
      </Primitive.Portal>
    </Primitive.Root>
  );
}

/** A dialog around a form: shows the failure of its submission and closes when it succeeds. */
export function FormDialog<T>({
  title,
  submitLabel,
  kind = 'primary',
  disabled = false,
  onSubmit,
  onDone,
  onClose,
  children,
}: {
  title: string;
  submitLabel: string;
  kind?: 'primary' | 'danger';
  disabled?: boolean;
  onSubmit: () => Promise<T>;
  /** What comes after success, when that is not closing. */
  onDone?: (result: T) => void;
  onClose: () => void;
  children: ReactNode;
}) {
  const t = useT();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);

  async function submit(event: FormEvent) {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      const result = await onSubmit();
      if (onDone) onDone(result);
      else onClose();
    } catch (cause) {
      setError(cause);
      setBusy(false);
    }
  }

  return (
    <Dialog title={title} onClose={onClose}>
      <form className="form" onSubmit={(event) => void submit(event)}>
        {children}
        {error !== null && <ErrorNotice error={error} />}
        <div className="form-actions">
          <Button onClick={onClose}>{t('common.cancel')}</Button>
          <Button type="submit" kind={kind} busy={busy} disabled={disabled}>
            {submitLabel}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

export function ConfirmDialog({
  title,
  text,
  onConfirm,
  onClose,
}: {
  title: string;
  text: string;
  onConfirm: () => Promise<unknown>;
  onClose: () => void;
}) {
  const t = useT();
  return (
    <FormDialog
      title={title}
      submitLabel={t('common.delete')}
      kind="danger"
      onSubmit={onConfirm}
      onClose={onClose}
    >
      <p className="dialog-text">{text}</p>
    </FormDialog>
  );
}
