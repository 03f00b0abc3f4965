import { useState } from 'react';
import * as api from '../../api/endpoints';
import type { ChunkProfile, KnowledgeBase } from '../../api/types';
import { useT } from '../../i18n/use';
import { SelectField, TextAreaField, TextField } from '../../kit/controls';
import { FormDialog } from '../../kit/dialog';
import { keys, refresh } from '../../state/queries';
import { PROFILES } from './profiles';

/** Creates a knowledge base, or edits the one given. */
export function KnowledgeBaseDialog({
  base,
  onSaved,
  onClose,
}: {
  base?: KnowledgeBase;
  onSaved?: (base: KnowledgeBase) => void;
  onClose: () => void;
}) {
  const t = useT();
  const [name, setName] = useState(base?.name ?? '');
  const [description, setDescription] = useState(base?.description ?? '');
  const [language, setLanguage] = useState(base?.language ?? 'auto');
  const [profile, setProfile] = useState<ChunkProfile>('general');

  async function save() {
    const body = { name: name.trim(), description: description.trim(), language };
    const saved = base
      ? await api.updateKnowledgeBase(base.id, body)
      : await api.createKnowledgeBase({ ...body, chunk_profile: profile });
    await refresh(keys.knowledgeBases);
    onSaved?.(saved);
  }

  return (
    <FormDialog
      title={base ? t('library.edit') : t('library.new')}
      submitLabel={base ? t('common.save') : t('common.create')}
      disabled={name.trim() === ''}
      onSubmit={save}
      onClose={onClose}
    >
      <TextField
        label={t('common.name')}
        name="name"
        placeholder={t('library.name_placeholder')}
        value={name}
        maxLength={200}
        required
        autoFocus
        onChange={(event) => setName(event.target.value)}
      />
      <TextAreaField
        label={t('common.description')}
        optional
        name="description"
        placeholder={t('library.description_placeholder')}
        value={description}
        onChange={(event) => setDescription(event.target.value)}
      />
      <SelectField
        label={t('library.language')}
        value={language}
        choices={[
          { value: 'auto', label: t('library.language_auto') },
          { value: 'zh', label: t('library.language_zh') },
          { value: 'en', label: t('library.language_en') },
        ]}
        onChoose={setLanguage}
      />
      {/* A knowledge base that is there shows what another profile would do before it is chosen. */}
      {!base && (
        <div>
          <SelectField
            label={t('passages.profile')}
            value={profile}
            choices={PROFILES.map((value) => ({ value, label: t(`profile.${value}`) }))}
            onChoose={setProfile}
          />
          <span className="field-hint">{t(`profile.${profile}_text`)}</span>
        </div>
      )}
    </FormDialog>
  );
}
