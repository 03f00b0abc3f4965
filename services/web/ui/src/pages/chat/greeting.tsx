import { useQuery } from '@tanstack/react-query';
import * as api from '../../api/endpoints';
import { useT } from '../../i18n/use';
import { Spinner } from '../../kit/controls';
import { Logo } from '../../kit/logo';
import { keys } from '../../state/queries';

/** Questions that the sample documents answer, and last one that they do not. */
const SAMPLE_QUESTIONS = ['samples.q1', 'samples.q2', 'samples.q3', 'samples.q4'] as const;

/** While documents are on their way, how often to look whether they have arrived. */
const POLL_MS = 1_500;

export function Greeting({
  knowledgeBaseId,
  samples,
  onAsk,
}: {
  knowledgeBaseId: string | null;
  /** Whether the sample documents were just loaded: then there are questions to try. */
  samples: boolean;
  onAsk: (content: string) => void;
}) {
  const t = useT();
  const base = useQuery({
    queryKey: keys.knowledgeBase(knowledgeBaseId ?? ''),
    queryFn: () => api.getKnowledgeBase(knowledgeBaseId ?? ''),
    enabled: knowledgeBaseId !== null,
    refetchInterval: (query) => (query.state.data?.status === 'indexing' ? POLL_MS : false),
  });
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
      {samples && base.data?.status === 'ready' && (
        <ul className="suggestions" aria-label={t('chat.try')}>
          {SAMPLE_QUESTIONS.map((key) => (
            <li key={key}>
              <button type="button" onClick={() => onAsk(t(key))}>
                {t(key)}
              </button>
            </li>
          ))}
        </ul>
      )}
    </header>
  );
}
