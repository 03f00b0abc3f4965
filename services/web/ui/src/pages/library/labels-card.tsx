import { useQuery } from '@tanstack/react-query';
import { Plus, Trash2 } from 'lucide-react';
import { useState } from 'react';
import * as api from '../../api/endpoints';
import type { Label } from '../../api/types';
import { useT } from '../../i18n/use';
import { Button, ErrorNotice, IconButton, Loading, TextAreaField, TextField } from '../../kit/controls';
import { toastDone } from '../../kit/toast';
import { keys, refresh } from '../../state/queries';

/** The labels that documents are sorted by. */
export function LabelsCard({ baseId }: { baseId: string }) {
  const t = useT();
  const labels = useQuery({ queryKey: keys.labels(baseId), queryFn: () => api.getLabels(baseId) });
  return (
    <section className="card rule-card">
      <h2>{t('labels.title')}</h2>
      <p>{t('labels.lead')}</p>
      {labels.error ? (
        <ErrorNotice error={labels.error} />
      ) : labels.data ? (
        <LabelsForm baseId={baseId} saved={labels.data} />
      ) : (
        <Loading />
      )}
    </section>
  );
}

/** A label as it is edited: its examples as one text, one example a paragraph. */
interface Draft {
  key: number;
  name: string;
  description: string;
  examples: string;
}

const drafted = (label: Label, key: number): Draft => ({
  key,
  name: label.name,
  description: label.description ?? '',
  examples: (label.examples ?? []).join('\n\n'),
});

const finished = (draft: Draft): Label => ({
  name: draft.name.trim(),
  description: draft.description.trim(),
  examples: draft.examples.split(/\n\s*\n/).filter((text) => text.trim() !== ''),
});

function LabelsForm({ baseId, saved }: { baseId: string; saved: readonly Label[] }) {
  const t = useT();
  const [drafts, setDrafts] = useState(() => saved.map(drafted));
  const [nextKey, setNextKey] = useState(saved.length);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const names = drafts.map((draft) => draft.name.trim());
  const incomplete = names.some((name, index) => name === '' || names.indexOf(name) !== index);

  const change = (key: number, part: Partial<Draft>) =>
    setDrafts(drafts.map((draft) => (draft.key === key ? { ...draft, ...part } : draft)));

  async function save() {
    setBusy(true);
    setError(null);
    try {
      await api.putLabels(baseId, drafts.map(finished));
      await Promise.all([refresh(keys.labels(baseId)), refresh(keys.documents(baseId))]);
      toastDone('common.saved');
    } catch (cause) {
      setError(cause);
    } finally {
      setBusy(false);
    }
  }

  return (
    <>
      <ul className="labels">
        {drafts.map((draft) => (
          <li key={draft.key}>
            <div className="label-head">
              <TextField
                label={t('common.name')}
                value={draft.name}
                maxLength={200}
                onChange={(event) => change(draft.key, { name: event.target.value })}
              />
              <IconButton
                label={t('labels.remove', { name: draft.name })}
                onClick={() => setDrafts(drafts.filter((other) => other.key !== draft.key))}
              >
                <Trash2 size={17} />
              </IconButton>
            </div>
            <TextAreaField
              label={t('common.description')}
              rows={2}
              placeholder={t('labels.description_placeholder')}
              value={draft.description}
              onChange={(event) => change(draft.key, { description: event.target.value })}
            />
            <TextAreaField
              label={t('labels.examples')}
              optional
              rows={2}
              hint={t('labels.examples_hint')}
              value={draft.examples}
              onChange={(event) => change(draft.key, { examples: event.target.value })}
            />
          </li>
        ))}
      </ul>
      {error !== null && <ErrorNotice error={error} />}
      <div className="rule-apply">
        <Button
          onClick={() => {
            setDrafts([...drafts, { key: nextKey, name: '', description: '', examples: '' }]);
            setNextKey(nextKey + 1);
          }}
        >
          <Plus size={16} aria-hidden="true" /> {t('labels.add')}
        </Button>
        <Button kind="primary" busy={busy} disabled={incomplete} onClick={() => void save()}>
          {t('common.save')}
        </Button>
        <span>{incomplete ? t('labels.incomplete') : t('labels.apply_hint')}</span>
      </div>
    </>
  );
}
