import type { Message } from '../../chat/conversation';
import { useT } from '../../i18n/use';
import { Spinner } from '../../kit/controls';
import { loadingModel } from '../../models/describe';
import { useModelsNow } from '../../state/queries';

/** What the server is doing now, said aloud to screen readers as it changes. */
export function Steps({ message }: { message: Message }) {
  const t = useT();
  const step = message.steps.at(-1);
  const position = step?.position ?? 0;
  // Nothing has been written yet: perhaps the model has to be read into memory first.
  const waits = step?.step === 'generating' && message.content === '';
  const loading = loadingModel(useModelsNow(waits));
  const label =
    waits && loading
      ? t('step.loading_model', { name: loading.id })
      : step?.step === 'queued' && position > 0
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
