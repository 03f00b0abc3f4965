import { useQuery } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import * as api from '../../api/endpoints';
import type { Answering } from '../../api/types';
import { useT } from '../../i18n/use';
import { Button, ErrorNotice, ErrorState, Loading, SelectField, TextAreaField } from '../../kit/controls';
import { toastDone } from '../../kit/toast';
import { keys, queryClient, useModels } from '../../state/queries';

export default function SettingsTab() {
  const settings = useQuery({ queryKey: keys.answering, queryFn: api.getAnswering });
  if (settings.error) return <ErrorState error={settings.error} onRetry={() => void settings.refetch()} />;
  if (!settings.data) return <Loading />;
  return <AnsweringForm saved={settings.data} />;
}

const AUTOMATIC = '';

function AnsweringForm({ saved }: { saved: Answering }) {
  const t = useT();
  const models = useModels();
  const [draft, setDraft] = useState(saved);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);

  async function save(event: FormEvent) {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      queryClient.setQueryData(keys.answering, await api.putAnswering(draft));
      toastDone('common.saved');
    } catch (cause) {
      setError(cause);
    }
    setBusy(false);
  }

  return (
    <form className="form admin-form" onSubmit={(event) => void save(event)}>
      <SelectField
        label={t('settings.default_model')}
        value={draft.default_model ?? AUTOMATIC}
        choices={[
          { value: AUTOMATIC, label: t('chat.model_auto') },
          ...(models.data ?? []).map((model) => ({
            value: model.id,
            label: model.capabilities.quotes ? t('chat.model_quotes') : model.id,
          })),
        ]}
        onChoose={(value) => setDraft({ ...draft, default_model: value || null })}
      />
      <TextAreaField
        label={t('settings.instructions')}
        hint={t('settings.instructions_hint')}
        optional
        maxLength={4000}
        value={draft.instructions}
        onChange={(event) => setDraft({ ...draft, instructions: event.target.value })}
      />
      {error !== null && <ErrorNotice error={error} />}
      <div>
        <Button type="submit" kind="primary" busy={busy}>
          {t('common.save')}
        </Button>
      </div>
    </form>
  );
}
