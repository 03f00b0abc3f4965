import { AlertCircle, Eye, EyeOff } from 'lucide-react';
import { Tooltip } from 'radix-ui';
import { useId, useState, type ComponentProps, type ReactNode } from 'react';
import { ApiError } from '../api/errors';
import { useErrorText, useT } from '../i18n/use';

type ButtonKind = 'plain' | 'primary' | 'danger' | 'quiet';

export function Button({
  kind = 'plain',
  size = 'normal',
  busy = false,
  children,
  className = '',
  disabled,
  ...rest
}: ComponentProps<'button'> & { kind?: ButtonKind; size?: 'normal' | 'large'; busy?: boolean }) {
  return (
    <button
      type="button"
      className={`button button-${kind} button-${size} ${className}`}
      disabled={disabled || busy}
      aria-busy={busy || undefined}
      {...rest}
    >
      {busy && <Spinner />}
      {children}
    </button>
  );
}

/** A button that shows an icon alone; its label is read out and shown as a tooltip. */
export function IconButton({
  label,
  small = false,
  className = '',
  children,
  ...rest
}: ComponentProps<'button'> & { label: string; small?: boolean }) {
  return (
    <Tooltip.Root>
      <Tooltip.Trigger asChild>
        <button
          type="button"
          aria-label={label}
          className={`icon-button ${small ? 'icon-button-small' : ''} ${className}`}
          {...rest}
        >
          {children}
        </button>
      </Tooltip.Trigger>
      <Tooltip.Portal>
        <Tooltip.Content className="tooltip" sideOffset={6}>
          {label}
        </Tooltip.Content>
      </Tooltip.Portal>
    </Tooltip.Root>
  );
}

export function Spinner() {
  return <span className="spinner" aria-hidden="true" />;
}

export function Loading() {
  const t = useT();
  return (
    <div className="loading" role="status">
      <Spinner /> {t('common.loading')}
    </div>
  );
}

interface FieldProps {
  label: string;
  hint?: string;
  optional?: boolean;
  /** What is wrong with what was entered. */
  error?: string | undefined;
}

const describedBy = (id: string, { hint, error }: Pick<FieldProps, 'hint' | 'error'>) =>
  [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(' ') || undefined;

function FieldNotes({ id, hint, error }: { id: string } & Pick<FieldProps, 'hint' | 'error'>) {
  return (
    <>
      {hint && (
        <span id={`${id}-hint`} className="field-hint">
          {hint}
        </span>
      )}
      {error && (
        <span id={`${id}-error`} className="field-error" role="alert">
          {error}
        </span>
      )}
    </>
  );
}

export function TextField({
  label,
  hint,
  optional,
  error,
  ...rest
}: FieldProps & Omit<ComponentProps<'input'>, 'id' | 'className'>) {
  const id = useId();
  const t = useT();
  return (
    <div className="field">
      <label htmlFor={id}>
        {label}
        {optional && <small>{t('common.optional')}</small>}
      </label>
      <input
        id={id}
        className="input"
        aria-invalid={error ? true : undefined}
        aria-describedby={describedBy(id, { hint, error })}
        {...rest}
      />
      <FieldNotes id={id} hint={hint} error={error} />
    </div>
  );
}

export function PasswordField({
  label,
  hint,
  ...rest
}: FieldProps & Omit<ComponentProps<'input'>, 'id' | 'className' | 'type'>) {
  const id = useId();
  const t = useT();
  const [shown, setShown] = useState(false);
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <div className="input-wrap">
        <input
          id={id}
          type={shown ? 'text' : 'password'}
          className="input"
          aria-describedby={hint ? `${id}-hint` : undefined}
          {...rest}
        />
        <IconButton
          label={shown ? t('login.hide_password') : t('login.show_password')}
          aria-pressed={shown}
          onClick={() => setShown(!shown)}
        >
          {shown ? <EyeOff size={17} /> : <Eye size={17} />}
        </IconButton>
      </div>
      {hint && (
        <span id={`${id}-hint`} className="field-hint">
          {hint}
        </span>
      )}
    </div>
  );
}

export function TextAreaField({
  label,
  hint,
  optional,
  error,
  ...rest
}: FieldProps & Omit<ComponentProps<'textarea'>, 'id' | 'className'>) {
  const id = useId();
  const t = useT();
  return (
    <div className="field">
      <label htmlFor={id}>
        {label}
        {optional && <small>{t('common.optional')}</small>}
      </label>
      <textarea
        id={id}
        className="input"
        rows={3}
        aria-invalid={error ? true : undefined}
        aria-describedby={describedBy(id, { hint, error })}
        {...rest}
      />
      <FieldNotes id={id} hint={hint} error={error} />
    </div>
  );
}

export interface Choice<T extends string> {
  value: T;
  label: string;
}

export function SelectField<T extends string>({
  label,
  choices,
  value,
  onChoose,
}: {
  label: string;
  choices: readonly Choice<T>[];
  value: T;
  onChoose: (value: T) => void;
}) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <select
        id={id}
        className="input select"
        value={value}
        onChange={(event) => onChoose(event.target.value as T)}
      >
        {choices.map((choice) => (
          <option key={choice.value} value={choice.value}>
            {choice.label}
          </option>
        ))}
      </select>
    </div>
  );
}

/** A few choices side by side, one of them taken. */
export function Segmented<T extends string>({
  label,
  choices,
  value,
  onChoose,
}: {
  label: string;
  choices: readonly Choice<T>[];
  value: T;
  onChoose: (value: T) => void;
}) {
  return (
    <div className="segmented" role="group" aria-label={label}>
      {choices.map((choice) => (
        <button
          key={choice.value}
          type="button"
          aria-pressed={choice.value === value}
          onClick={() => onChoose(choice.value)}
        >
          {choice.label}
        </button>
      ))}
    </div>
  );
}

/** A failure in words, with the request id for support. */
export function ErrorNotice({ error, children }: { error: unknown; children?: ReactNode }) {
  const t = useT();
  const errorText = useErrorText();
  const failure = ApiError.of(error);
  // The server's own words on what is wrong with a field say more than the code does.
  const detail =
    failure.code === 'invalid_request' || failure.code === 'weak_password' ? failure.message : '';
  return (
    <div className="notice" role="alert">
      <AlertCircle size={17} aria-hidden="true" />
      <div>
        {errorText(failure)}
        {detail && <div>{detail}</div>}
        {failure.requestId && <small>{t('failure.request_id', { id: failure.requestId })}</small>}
        {children}
      </div>
    </div>
  );
}

export function ErrorState({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const t = useT();
  const errorText = useErrorText();
  const failure = ApiError.of(error);
  return (
    <div className="empty" role="alert">
      <AlertCircle size={34} strokeWidth={1.4} aria-hidden="true" />
      <h2>{t('failure.title')}</h2>
      <p>{errorText(failure)}</p>
      {failure.requestId && <small>{t('failure.request_id', { id: failure.requestId })}</small>}
      {onRetry && (
        <div className="empty-actions">
          <Button onClick={onRetry}>{t('common.retry')}</Button>
        </div>
      )}
    </div>
  );
}

export function EmptyState({
  icon,
  title,
  text,
  heading: Heading = 'h2',
  children,
}: {
  icon: ReactNode;
  title: string;
  /** `h1` where this is all there is on the page. */
  heading?: 'h1' | 'h2';
  text?: string;
  children?: ReactNode;
}) {
  return (
    <div className="empty">
      <span className="empty-art" aria-hidden="true">
        {icon}
      </span>
      <Heading>{title}</Heading>
      {text && <p>{text}</p>}
      {children && <div className="empty-actions">{children}</div>}
    </div>
  );
}

export function Avatar({ name, icon }: { name: string; icon?: ReactNode }) {
  return (
    <span className="avatar" aria-hidden="true">
      {icon ?? [...name.trim()][0]?.toUpperCase() ?? '?'}
    </span>
  );
}
