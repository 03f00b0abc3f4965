import { FolderPlus, MessageCircleQuestion, Sparkles, Upload } from 'lucide-react';
import { useState } from 'react';
import { useLocation } from 'wouter';
import * as api from '../../api/endpoints';
import { useT } from '../../i18n/use';
import { Button } from '../../kit/controls';
import { Logo } from '../../kit/logo';
import { toastError } from '../../kit/toast';
import { keys, refresh } from '../../state/queries';
import { KnowledgeBaseDialog } from '../library/knowledge-base-dialog';

/** What a person sees who has no documents yet. */
export function StartPage() {
  const t = useT();
  const [, navigate] = useLocation();
  const [loading, setLoading] = useState(false);
  const [creating, setCreating] = useState(false);

  async function load() {
    setLoading(true);
    try {
      const { knowledge_base_id: id } = await api.loadSamples();
      navigate(`/chat?kb=${id}&samples=1`);
      await refresh(keys.knowledgeBases);
    } catch (cause) {
      toastError(cause);
      setLoading(false);
    }
  }

  const steps = [
    { icon: <FolderPlus size={20} />, title: t('start.step1'), text: t('start.step1_text') },
    { icon: <Upload size={20} />, title: t('start.step2'), text: t('start.step2_text') },
    { icon: <MessageCircleQuestion size={20} />, title: t('start.step3'), text: t('start.step3_text') },
  ];
  return (
    <div className="start">
      <Logo size={52} />
      <h1>{t('start.title')}</h1>
      <p className="start-lead">{t('start.lead')}</p>
      <div className="start-actions">
        <Button kind="primary" size="large" busy={loading} onClick={() => void load()}>
          {!loading && <Sparkles size={17} aria-hidden="true" />}
          {loading ? t('start.samples_loading') : t('start.samples')}
        </Button>
        <Button size="large" onClick={() => setCreating(true)}>
          {t('start.own')}
        </Button>
      </div>
      <p className="start-hint">{t('start.samples_hint')}</p>
      <ol className="start-steps">
        {steps.map((step, index) => (
          <li key={step.title}>
            <span className="start-icon" aria-hidden="true">
              {step.icon}
            </span>
            <h2>
              <span>{index + 1}</span> {step.title}
            </h2>
            <p>{step.text}</p>
          </li>
        ))}
      </ol>
      {creating && (
        <KnowledgeBaseDialog
          onSaved={(base) => navigate(`/library/${base.id}`)}
          onClose={() => setCreating(false)}
        />
      )}
    </div>
  );
}
