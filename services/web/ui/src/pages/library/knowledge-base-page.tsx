import { useQuery } from '@tanstack/react-query';
import { ArrowLeft, MessageCircleQuestion, Pencil } from 'lucide-react';
import { useState } from 'react';
import { Link } from 'wouter';
import * as api from '../../api/endpoints';
import { useT } from '../../i18n/use';
import { ErrorState, IconButton, Loading } from '../../kit/controls';
import { keys } from '../../state/queries';
import { AccessTab } from './access-tab';
import { DocumentsTab } from './documents-tab';
import { KnowledgeBaseDialog } from './knowledge-base-dialog';
import './library.css';

export default function KnowledgeBasePage({ id, tab }: { id: string; tab: string | undefined }) {
  const t = useT();
  const [editing, setEditing] = useState(false);
  const base = useQuery({ queryKey: keys.knowledgeBase(id), queryFn: () => api.getKnowledgeBase(id) });
  if (base.error) return <ErrorState error={base.error} onRetry={() => void base.refetch()} />;
  if (!base.data) return <Loading />;
  const owner = base.data.my_role === 'owner';
  const access = owner && tab === 'access';
  return (
    <div className="page">
      <header className="page-head">
        <div className="base-head">
          <Link href="/library" className="base-back">
            <ArrowLeft size={15} aria-hidden="true" /> {t('library.title')}
          </Link>
          <h1>
            {base.data.name}
            {owner && (
              <IconButton small label={t('library.edit')} onClick={() => setEditing(true)}>
                <Pencil size={15} />
              </IconButton>
            )}
          </h1>
          {base.data.description && <p>{base.data.description}</p>}
        </div>
        <Link href={`/chat?kb=${id}`} className="button button-primary">
          <MessageCircleQuestion size={17} aria-hidden="true" /> {t('library.ask')}
        </Link>
      </header>
      {owner && (
        <nav className="tabs" aria-label={base.data.name}>
          <Link href={`/library/${id}`} aria-current={access ? undefined : 'page'}>
            {t('library.tab_documents')}
          </Link>
          <Link href={`/library/${id}/access`} aria-current={access ? 'page' : undefined}>
            {t('library.tab_access')}
          </Link>
        </nav>
      )}
      {access ? (
        <AccessTab baseId={id} />
      ) : (
        <DocumentsTab baseId={id} canEdit={base.data.my_role !== 'viewer'} />
      )}
      {editing && <KnowledgeBaseDialog base={base.data} onClose={() => setEditing(false)} />}
    </div>
  );
}
