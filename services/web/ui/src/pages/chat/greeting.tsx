import { useQuery } from '@tanstack/react-query';
import * as api from '../../api/endpoints';
import { useT } from '../../i18n/use';
import { Spinner } from '../../kit/controls';
import { Logo } from '../../kit/logo';
import { keys } from '../../state/queries';

/** While documents are on their way, how often to look whether they have arrived. */
const POLL_MS = 1_500;

export function Greeting({
  knowledgeBaseId,
}: {
  knowledgeBaseId: string | null;
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
    </header>
  );
}
