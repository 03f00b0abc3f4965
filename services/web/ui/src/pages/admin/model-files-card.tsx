import { useState, type FormEvent } from 'react';
import { useT } from '../../i18n/use';
import { Button, TextField } from '../../kit/controls';
import { FileButton } from '../../kit/file-button';
import { modelTasks } from '../../models/running';
import { importArchive, nameFor, uploadModel } from '../../models/upload';

/** Models that come as files: a GGUF that somebody has, or an archive from another server. */
export function ModelFilesCard() {
  const t = useT();
  const [file, setFile] = useState<File | null>(null);
  const [name, setName] = useState('');

  function choose(chosen: File) {
    setFile(chosen);
    setName(nameFor(chosen.name));
  }

  function submit(event: FormEvent) {
    event.preventDefault();
    if (!file) return;
    void modelTasks.start('upload', name.trim(), uploadModel(name.trim(), file));
    setFile(null);
    setName('');
  }

  return (
    <section className="card rule-card">
      <h2>{t('models.files')}</h2>
      <p>{t('models.files_lead')}</p>
      <div className="model-file-buttons">
        <FileButton label={t('models.upload')} accept=".gguf" onFile={choose} />
        <FileButton
          label={t('models.import')}
          accept=".tar"
          onFile={(archive) => void modelTasks.start('import', archive.name, importArchive(archive))}
        />
      </div>
      {file && (
        <form className="model-pull" onSubmit={submit}>
          <TextField
            label={t('models.upload_name')}
            hint={file.name}
            value={name}
            required
            autoCapitalize="none"
            spellCheck={false}
            onChange={(event) => setName(event.target.value)}
          />
          <Button type="submit" kind="primary" disabled={name.trim() === ''}>
            {t('models.upload_start')}
          </Button>
          <Button onClick={() => setFile(null)}>{t('common.cancel')}</Button>
        </form>
      )}
    </section>
  );
}
