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
import { PassagesTab } from './passages-tab';
import { RulesTab } from './rules-tab';
import './library.css';

export default function KnowledgeBasePage({ id, tab }: { id: string; tab: string | undefined }) {
  const t = useT();
  const [editing, setEditing] = useState(false);
  const base = useQuery({ queryKey: keys.knowledgeBase(id), queryFn: () => api.getKnowledgeBase(id) });
  if (base.error) return <ErrorState error={base.error} onRetry={() => void base.refetch()} />;
  if (!base.data) return <Loading />;
  const owner = base.data.my_role === 'owner';
  const canEdit = base.data.my_role !== 'viewer';
  const shown =
    (owner && tab === 'access') || (canEdit && (tab === 'passages' || tab === 'rules')) ? tab : 'documents';
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
      {canEdit && (
        <nav className="tabs" aria-label={base.data.name}>
          <Link href={`/library/${id}`} aria-current={shown === 'documents' ? 'page' : undefined}>
            {t('library.tab_documents')}
          </Link>
          <Link href={`/library/${id}/passages`} aria-current={shown === 'passages' ? 'page' : undefined}>
            {t('library.tab_passages')}
          </Link>
          <Link href={`/library/${id}/rules`} aria-current={shown === 'rules' ? 'page' : undefined}>
            {t('library.tab_rules')}
          </Link>
          {owner && (
            <Link href={`/library/${id}/access`} aria-current={shown === 'access' ? 'page' : undefined}>
              {t('library.tab_access')}
            </Link>
          )}
        </nav>
      )}
      {shown === 'access' && <AccessTab baseId={id} />}
      {shown === 'passages' && <PassagesTab base={base.data} />}
      {shown === 'rules' && <RulesTab base={base.data} />}
      {shown === 'documents' && <DocumentsTab baseId={id} canEdit={canEdit} />}
      {editing && <KnowledgeBaseDialog base={base.data} onClose={() => setEditing(false)} />}
    </div>
  );
}
