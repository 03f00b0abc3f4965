import { useQuery } from '@tanstack/react-query';
import * as api from '../../api/endpoints';
import { useT } from '../../i18n/use';
import { Spinner } from '../../kit/controls';
import { Logo } from '../../kit/logo';
import { keys } from '../../state/queries';

/** While documents are on their way, how often to look whether they have arrived. */
const POLL_MS = 1_500;

/** A knowledge base, looked at again and again until its documents have arrived. */
function useArriving(id: string | null) {
  return useQuery({
    queryKey: keys.knowledgeBase(id ?? ''),
    queryFn: () => api.getKnowledgeBase(id ?? ''),
    enabled: id !== null,
    refetchInterval: (query) => (query.state.data?.status === 'indexing' ? POLL_MS : false),
  });
}

export function Greeting({ knowledgeBaseId }: { knowledgeBaseId: string | null }) {
  const t = useT();
  const base = useArriving(knowledgeBaseId);
  return (
    <header className="greeting">
      <Logo size={44} />
      <h1>{t('chat.greeting')}</h1>
      <p>{t('chat.greeting_lead')}</p>
      {base.data?.status === 'indexing' && (
        <p className="greeting-note" role="status">
          <Spinner /> {base.data.name} · {t('library.indexing')}
        </p>
      )}
    </header>
  );
}

/** Questions that the sample documents answer, and last one that they do not. */
const SAMPLE_QUESTIONS = ['samples.q1', 'samples.q2', 'samples.q3', 'samples.q4'] as const;

/** Questions to try once the sample documents can be asked. */
export function Suggestions({ samplesId, onAsk }: { samplesId: string; onAsk: (content: string) => void }) {
  const t = useT();
  const base = useArriving(samplesId);
  if (base.data?.status !== 'ready') return null;
  return (
    <ul className="suggestions" aria-label={t('chat.try')}>
      {SAMPLE_QUESTIONS.map((key) => (
        <li key={key}>
          <button type="button" onClick={() => onAsk(t(key))}>
            {t(key)}
          </button>
        </li>
      ))}
    </ul>
  );
}
