import { useQuery } from '@tanstack/react-query';
import { FileUp } from 'lucide-react';
import { useEffect, useState } from 'react';
import * as api from '../../api/endpoints';
import type { DocumentItem } from '../../api/types';
import { useT } from '../../i18n/use';
import { EmptyState, ErrorState, Loading, Segmented } from '../../kit/controls';
import { ConfirmDialog } from '../../kit/dialog';
import { toastError } from '../../kit/toast';
import { keys, queryClient, refresh } from '../../state/queries';
import { followDocuments } from '../../upload/follow';
import { applyDocumentEvent, inProgress } from '../../upload/progress';
import { queueOf } from '../../upload/queues';
import { DocumentTable } from './document-table';
import { needsPassword } from './locked';
import { PasswordDialog } from './password-dialog';
import { UploadArea } from './upload-area';

type Show = 'all' | 'progress' | 'failed';

/** The documents of a knowledge base, kept current by the server's events. Answers whether the feed is lost. */
function useLiveDocuments(baseId: string) {
  const [lost, setLost] = useState(false);
  useEffect(() => {
    const controller = new AbortController();
    const key = keys.documents(baseId);
    void followDocuments(
      baseId,
      {
        onEvent: (event) => {
          queryClient.setQueryData<DocumentItem[]>(key, (list) => list && applyDocumentEvent(list, event));
          if (!inProgress(event.document)) void refresh(keys.knowledgeBases);
        },
        onOpen: () => {
          setLost(false);
          void refresh(key);
        },
        onLost: () => setLost(true),
      },
      controller.signal,
    );
    return () => controller.abort();
  }, [baseId]);
  return lost;
}

export function DocumentsTab({ baseId, canEdit }: { baseId: string; canEdit: boolean }) {
  const t = useT();
  const documents = useQuery({ queryKey: keys.documents(baseId), queryFn: () => api.listDocuments(baseId) });
  const lost = useLiveDocuments(baseId);
  const [filter, setFilter] = useState('');
  const [show, setShow] = useState<Show>('all');
  const [deleting, setDeleting] = useState<DocumentItem | null>(null);
  const [locked, setLocked] = useState<DocumentItem | null>(null);

  if (documents.error) return <ErrorState error={documents.error} onRetry={() => void documents.refetch()} />;
  if (!documents.data) return <Loading />;
  const all = documents.data;
  const moving = all.filter(inProgress);
  const failed = all.filter((item) => item.status === 'failed');
  const needle = filter.trim().toLowerCase();
  const listed = (show === 'failed' ? failed : show === 'progress' ? moving : all).filter((item) =>
    item.path.toLowerCase().includes(needle),
  );
  return (
    <UploadArea queue={queueOf(baseId)} enabled={canEdit}>
      {all.length === 0 ? (
        <EmptyState
          icon={<FileUp size={44} strokeWidth={1.2} />}
          title={t('documents.empty')}
          text={canEdit ? t('documents.empty_text') : t('documents.empty_viewer')}
        />
      ) : (
        <>
          <div className="toolbar">
            <input
              className="input"
              type="search"
              placeholder={t('documents.filter')}
              aria-label={t('documents.filter')}
              value={filter}
              onChange={(event) => setFilter(event.target.value)}
            />
            {(moving.length > 0 || failed.length > 0 || show !== 'all') && (
              <Segmented
                label={t('documents.status')}
                value={show}
                choices={[
                  { value: 'all', label: t('documents.show_all') },
                  { value: 'progress', label: t('documents.show_progress', { n: moving.length }) },
                  { value: 'failed', label: t('documents.show_failed', { n: failed.length }) },
                ]}
                onChoose={setShow}
              />
            )}
            {lost && (
              <span className="live-lost" role="status">
                {t('documents.live_lost')}
              </span>
            )}
          </div>
          <DocumentTable
            documents={listed}
            flat={show !== 'all' || needle !== ''}
            canEdit={canEdit}
            onRetry={(item) =>
              needsPassword(item) ? setLocked(item) : void api.retryDocument(item.id).catch(toastError)
            }
            onDelete={setDeleting}
          />
        </>
      )}
      {locked && <PasswordDialog document={locked} onClose={() => setLocked(null)} />}
      {deleting && (
        <ConfirmDialog
          title={t('documents.delete_title')}
          text={
            t('documents.delete_text', { name: deleting.name }) +
            (deleting.child_count ? ` ${t('documents.delete_inside', { n: deleting.child_count })}` : '')
          }
          onConfirm={async () => {
            await api.deleteDocument(deleting.id);
            await Promise.all([refresh(keys.documents(baseId)), refresh(keys.knowledgeBases)]);
          }}
          onClose={() => setDeleting(null)}
        />
      )}
    </UploadArea>
  );
}
