import { Download } from 'lucide-react';
import { useState, type FormEvent } from 'react';
import * as api from '../../api/endpoints';
import { useT } from '../../i18n/use';
import { Button, TextField } from '../../kit/controls';
import { followPull } from '../../models/pull';
import { modelTasks } from '../../models/running';

/** Fetches a model; its progress stands in the list of tasks. */
export function startPull(source: string): void {
  void modelTasks.start('pull', source, async (report, signal) =>
    followPull(await api.pullModel(source, signal), report),
  );
}

export function PullCard({ enabled }: { /** `null` while it is not known. */ enabled: boolean | null }) {
  const t = useT();
  const [source, setSource] = useState('');

  function submit(event: FormEvent) {
    event.preventDefault();
    startPull(source.trim());
    setSource('');
  }

  return (
    <section className="card rule-card">
      <h2>{t('models.pull_title')}</h2>
      {enabled === false ? (
        <p className="notice notice-info" role="note">
          {t('models.pull_off')}
        </p>
      ) : (
        <form className="model-pull" onSubmit={submit}>
          <TextField
            label={t('models.pull_source')}
            hint={t('models.pull_hint')}
            value={source}
            autoCapitalize="none"
            spellCheck={false}
            placeholder="qwen3:4b"
            onChange={(event) => setSource(event.target.value)}
          />
          <Button type="submit" kind="primary" disabled={source.trim() === ''}>
            <Download size={16} aria-hidden="true" /> {t('models.pull')}
          </Button>
        </form>
      )}
    </section>
  );
}
