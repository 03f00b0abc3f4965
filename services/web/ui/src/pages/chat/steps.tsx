import type { Message } from '../../chat/conversation';
import { useT } from '../../i18n/use';
import { Spinner } from '../../kit/controls';

/** What the server is doing now, said aloud to screen readers as it changes. */
export function Steps({ message }: { message: Message }) {
  const t = useT();
  const step = message.steps.at(-1);
  const position = step?.position ?? 0;
  const label =
    step?.step === 'queued' && position > 0
      ? t('step.queued_position', { n: position })
      : t(`step.${step?.step ?? 'pending'}`);
  return (
    <p className="steps" role="status">
      <Spinner />
      <span key={label}>
        {label}
        {step?.detail && <small>{step.detail}</small>}
      </span>
    </p>
  );
}
