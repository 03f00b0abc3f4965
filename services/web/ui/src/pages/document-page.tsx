import { useQuery } from '@tanstack/react-query';
import { ArrowLeft, Download } from 'lucide-react';
import { useMemo } from 'react';
import { Link, useSearch } from 'wouter';
import * as api from '../api/endpoints';
import { useFormat, useT } from '../i18n/use';
import { ErrorState, Loading } from '../kit/controls';
import { keys } from '../state/queries';
import DocumentViewer from '../viewer/document-viewer';
import { contentUrl, type Passage } from '../viewer/passage';

/** A document by itself, at a passage when the address names one. */
export default function DocumentPage({ id }: { id: string }) {
  const t = useT();
  const format = useFormat();
  const chunkId = new URLSearchParams(useSearch()).get('chunk');
  const document = useQuery({ queryKey: keys.document(id), queryFn: () => api.getDocument(id) });
  const chunk = useQuery({
    queryKey: keys.chunk(chunkId ?? ''),
    queryFn: () => api.getChunk(chunkId ?? ''),
    enabled: chunkId !== null,
  });
  const passage = useMemo((): Passage | null => {
    if (!chunk.data) return null;
    const { text, page_start, boxes, version } = chunk.data;
    return {
      chunkId: chunk.data.id,
      excerpt: text,
      pageStart: page_start ?? null,
      boxes,
      evidence: [],
      sentences: [],
      version,
    };
  }, [chunk.data]);

  if (document.error) return <ErrorState error={document.error} onRetry={() => void document.refetch()} />;
  if (!document.data || chunk.isLoading) return <Loading />;
  const { name, pages, bytes, version, knowledge_base_id: base } = document.data;
  const facts = [
    pages ? t('documents.page_count', { n: pages }) : '',
    format.bytes(bytes),
    t('answer.as_of', { version }),
    format.date(document.data.updated_at),
  ];
  return (
    <div className="document-page">
      <header className="document-head">
        <Link href={`/library/${base}`} className="icon-button" aria-label={t('common.back')}>
          <ArrowLeft size={18} />
        </Link>
        <div>
          <h1>{name}</h1>
          <p>{facts.filter(Boolean).join(' · ')}</p>
        </div>
        <a
          href={contentUrl(id, null)}
          className="icon-button"
          download={name}
          aria-label={t('viewer.download')}
          title={t('viewer.download')}
        >
          <Download size={18} />
        </a>
      </header>
      <DocumentViewer documentId={id} passage={passage} />
    </div>
  );
}
