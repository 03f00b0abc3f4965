import { useSyncExternalStore } from 'react';
import { ApiError } from '../api/errors';
import { useErrorText, useT } from '../i18n/use';
import type { MessageKey, Values } from '../i18n/translate';

type Toast = { id: number } & (
  { kind: 'done'; key: MessageKey; values?: Values } | { kind: 'error'; error: ApiError }
);

const DONE_MS = 2_500;
const ERROR_MS = 7_000;

let toasts: readonly Toast[] = [];
let nextId = 1;
const listeners = new Set<() => void>();

function change(next: readonly Toast[]): void {
  toasts = next;
  for (const listener of listeners) listener();
}

function show(toast: Toast, milliseconds: number): void {
  change([...toasts, toast]);
  setTimeout(() => change(toasts.filter((item) => item.id !== toast.id)), milliseconds);
}

export function toastDone(key: MessageKey, values?: Values): void {
  show({ id: nextId++, kind: 'done', key, ...(values ? { values } : {}) }, DONE_MS);
}

export function toastError(cause: unknown): void {
  show({ id: nextId++, kind: 'error', error: ApiError.of(cause) }, ERROR_MS);
}

export function Toasts() {
  const t = useT();
  const errorText = useErrorText();
  const shown = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => toasts,
  );
  return (
    <div className="toasts" role="status" aria-live="polite">
      {shown.map((toast) =>
        toast.kind === 'done' ? (
          <div key={toast.id} className="toast">
            {t(toast.key, toast.values)}
          </div>
        ) : (
          <div key={toast.id} className="toast toast-error">
            <div>
              {errorText(toast.error)}
              {toast.error.requestId && (
                <small>{t('failure.request_id', { id: toast.error.requestId })}</small>
              )}
            </div>
          </div>
        ),
      )}
    </div>
  );
}
