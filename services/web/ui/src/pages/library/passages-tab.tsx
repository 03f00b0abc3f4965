import { useQuery } from '@tanstack/react-query';
import { Check, Layers } from 'lucide-react';
import { useEffect, useId, useState } from 'react';
import * as api from '../../api/endpoints';
import type { ChunkProfile, DocumentItem, KnowledgeBase } from '../../api/types';
import { useT } from '../../i18n/use';
import { Button, EmptyState, ErrorNotice, Loading, SelectField } from '../../kit/controls';
import { FormDialog } from '../../kit/dialog';
import { toastDone } from '../../kit/toast';
import { keys, refresh } from '../../state/queries';
import { ChunkComparison } from './chunk-comparison';
import { PROFILES, suggestedProfile } from './profiles';
import './passages.css';

/** How often to ask how far the documents are while they are cut anew. */
const REFRESH_MS = 3_000;

/** How a knowledge base's documents are cut into passages: choosing a profile, and seeing what it would do. */
export function PassagesTab({ base }: { base: KnowledgeBase }) {
  const t = useT();
  const current = base.chunk_profile ?? 'general';
  const pending = base.documents_to_rechunk ?? 0;
  const [chosen, setChosen] = useState<ChunkProfile>(current);
  const [confirming, setConfirming] = useState(false);
  const documents = useQuery({
    queryKey: keys.documents(base.id),
    queryFn: () => api.listDocuments(base.id),
  });
  const owner = base.my_role === 'owner';

  useEffect(() => {
    if (pending === 0) return undefined;
    const timer = setInterval(() => void refresh(keys.knowledgeBases), REFRESH_MS);
    return () => clearInterval(timer);
  }, [pending]);

  const suggested = suggestedProfile((documents.data ?? []).map((item) => item.name));
  return (
    <section className="passages">
      <p className="passages-lead">{t('passages.lead')}</p>
      {pending > 0 && (
        <div className="notice notice-info" role="status">
          <Layers size={17} aria-hidden="true" />
          <div>{t('passages.pending', { n: pending })}</div>
        </div>
      )}
      <ProfileChoice current={current} chosen={chosen} suggested={suggested} onChoose={setChosen} />
      {owner ? (
        <div className="passages-apply">
          <Button kind="primary" disabled={chosen === current} onClick={() => setConfirming(true)}>
            {t('passages.apply')}
          </Button>
          <span>{chosen === current ? t('passages.is_current') : t('passages.apply_hint')}</span>
        </div>
      ) : (
        <p className="field-hint">{t('passages.owner_only')}</p>
      )}
      <h2>{t('passages.preview')}</h2>
      {documents.error ? (
        <ErrorNotice error={documents.error} />
      ) : documents.data ? (
        <Preview documents={documents.data.filter((item) => item.chunk_count > 0)} profile={chosen} />
      ) : (
        <Loading />
      )}
      {confirming && (
        <FormDialog
          title={t('passages.confirm_title', { profile: t(`profile.${chosen}`) })}
          submitLabel={t('passages.apply')}
          onSubmit={async () => {
            await api.updateKnowledgeBase(base.id, { chunk_profile: chosen });
            await refresh(keys.knowledgeBases);
            toastDone('common.saved');
          }}
          onClose={() => setConfirming(false)}
        >
          <p className="dialog-text">{t('passages.confirm_text', { n: base.document_count })}</p>
        </FormDialog>
      )}
    </section>
  );
}

function ProfileChoice({
  current,
  chosen,
  suggested,
  onChoose,
}: {
  current: ChunkProfile;
  chosen: ChunkProfile;
  suggested: ChunkProfile | null;
  onChoose: (profile: ChunkProfile) => void;
}) {
  const t = useT();
  const name = useId();
  return (
    <fieldset className="profiles">
      <legend className="visually-hidden">{t('passages.profile')}</legend>
      {PROFILES.map((profile) => (
        <label key={profile} className="profile" data-chosen={profile === chosen || undefined}>
          <input
            type="radio"
            name={name}
            value={profile}
            checked={profile === chosen}
            onChange={() => onChoose(profile)}
          />
          <span className="profile-name">
            {t(`profile.${profile}`)}
            {profile === current && (
              <span className="badge badge-ok">
                <Check size={12} aria-hidden="true" /> {t('passages.in_use')}
              </span>
            )}
            {profile === suggested && profile !== current && (
              <span className="badge">{t('passages.suggested')}</span>
            )}
          </span>
          <span className="profile-text">{t(`profile.${profile}_text`)}</span>
        </label>
      ))}
    </fieldset>
  );
}

function Preview({ documents, profile }: { documents: DocumentItem[]; profile: ChunkProfile }) {
  const t = useT();
  const [chosen, setChosen] = useState<string | null>(null);
  const documentId = chosen ?? documents[0]?.id;
  if (documentId === undefined) {
    return <EmptyState icon={<Layers size={30} strokeWidth={1.4} />} title={t('passages.no_documents')} />;
  }
  return (
    <>
      <div className="passages-document">
        <SelectField
          label={t('passages.document')}
          value={documentId}
          choices={documents.map((item) => ({ value: item.id, label: item.path }))}
          onChoose={setChosen}
        />
      </div>
      <ChunkComparison key={documentId} documentId={documentId} profile={profile} />
    </>
  );
}
