import { Library, MoreHorizontal, Pencil, Plus, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { Link, useLocation } from 'wouter';
import * as api from '../../api/endpoints';
import type { KnowledgeBase } from '../../api/types';
import { useT } from '../../i18n/use';
import { Button, EmptyState, ErrorState, Loading, TextField } from '../../kit/controls';
import { FormDialog } from '../../kit/dialog';
import { Menu } from '../../kit/menu';
import { keys, refresh, useKnowledgeBases } from '../../state/queries';
import { KnowledgeBaseDialog } from './knowledge-base-dialog';
import './library.css';

type Open = { kind: 'new' } | { kind: 'edit' | 'delete'; base: KnowledgeBase } | null;

export default function LibraryPage() {
  const t = useT();
  const [, navigate] = useLocation();
  const bases = useKnowledgeBases();
  const [open, setOpen] = useState<Open>(null);
  const close = () => setOpen(null);
  return (
    <div className="page">
      <header className="page-head">
        <div>
          <h1>{t('library.title')}</h1>
          <p>{t('library.lead')}</p>
        </div>
        <Button kind="primary" onClick={() => setOpen({ kind: 'new' })}>
          <Plus size={17} aria-hidden="true" /> {t('library.new')}
        </Button>
      </header>
      {bases.isLoading && <Loading />}
      {bases.error && <ErrorState error={bases.error} onRetry={() => void bases.refetch()} />}
      {bases.data?.length === 0 && (
        <EmptyState
          icon={<Library size={44} strokeWidth={1.2} />}
          title={t('library.empty')}
          text={t('library.empty_text')}
        />
      )}
      <ul className="base-grid">
        {bases.data?.map((base) => (
          <BaseCard
            key={base.id}
            base={base}
            onEdit={() => setOpen({ kind: 'edit', base })}
            onDelete={() => setOpen({ kind: 'delete', base })}
          />
        ))}
      </ul>
      {open?.kind === 'new' && (
        <KnowledgeBaseDialog onSaved={(base) => navigate(`/library/${base.id}`)} onClose={close} />
      )}
      {open?.kind === 'edit' && <KnowledgeBaseDialog base={open.base} onClose={close} />}
      {open?.kind === 'delete' && <DeleteDialog base={open.base} onClose={close} />}
    </div>
  );
}

function BaseCard({
  base,
  onEdit,
  onDelete,
}: {
  base: KnowledgeBase;
  onEdit: () => void;
  onDelete: () => void;
}) {
  const t = useT();
  return (
    <li className="card base-card">
      <h2>
        <Link href={`/library/${base.id}`}>{base.name}</Link>
      </h2>
      <p>{base.description}</p>
      <footer>
        <span>
          {t('library.documents', { n: base.document_count })} ·{' '}
          {t('library.chunks', { n: base.chunk_count })}
        </span>
        {base.status === 'ready' ? (
          <span className="badge">{t(`role.${base.my_role}`)}</span>
        ) : (
          <span className="badge badge-accent">{t(`library.${base.status}`)}</span>
        )}
      </footer>
      {base.my_role === 'owner' && (
        <Menu
          trigger={
            <button
              type="button"
              className="icon-button icon-button-small"
              aria-label={`${t('common.more')}: ${base.name}`}
            >
              <MoreHorizontal size={17} />
            </button>
          }
          entries={[
            { key: 'edit', label: t('common.edit'), icon: <Pencil size={16} />, onSelect: onEdit },
            {
              key: 'delete',
              label: t('common.delete'),
              icon: <Trash2 size={16} />,
              danger: true,
              onSelect: onDelete,
            },
          ]}
        />
      )}
    </li>
  );
}

/** Deleting many documents at once takes typing the name. */
function DeleteDialog({ base, onClose }: { base: KnowledgeBase; onClose: () => void }) {
  const t = useT();
  const [typed, setTyped] = useState('');
  return (
    <FormDialog
      title={t('library.delete_title')}
      submitLabel={t('common.delete')}
      kind="danger"
      disabled={typed.trim() !== base.name.trim()}
      onSubmit={() => api.deleteKnowledgeBase(base.id).then(() => refresh(keys.knowledgeBases))}
      onClose={onClose}
    >
      <p className="dialog-text">{t('library.delete_text', { name: base.name, n: base.document_count })}</p>
      <TextField
        label={t('library.delete_confirm')}
        value={typed}
        autoComplete="off"
        autoFocus
        onChange={(event) => setTyped(event.target.value)}
      />
    </FormDialog>
  );
}
