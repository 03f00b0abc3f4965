import { useQuery } from '@tanstack/react-query';
import { useCallback, useState } from 'react';
import * as api from '../api/endpoints';
import { useT } from '../i18n/use';
import { ErrorState, Loading, Segmented } from '../kit/controls';
import { keys } from '../state/queries';
import { contentUrl, type Passage } from './passage';
import { PdfView } from './pdf-view';
import { PictureView } from './picture-view';
import { isShownPicture } from './pictures';
import { TextView } from './text-view';
import './viewer.css';

/** A document with a passage marked: a PDF as its pages, a picture as it is, anything else as its text. */
export default function DocumentViewer({
  documentId,
  passage,
}: {
  documentId: string;
  passage: Passage | null;
}) {
  const t = useT();
  const document = useQuery({
    queryKey: keys.document(documentId),
    queryFn: () => api.getDocument(documentId),
  });
  const [layout, setLayout] = useState<'pages' | 'text'>('pages');
  const [failed, setFailed] = useState(false);
  const onFailure = useCallback(() => {
    setFailed(true);
    setLayout('text');
  }, []);

  if (document.error) {
    return (
      <>
        <ErrorState error={document.error} onRetry={() => void document.refetch()} />
        {passage && <blockquote className="viewer-excerpt">{passage.excerpt}</blockquote>}
      </>
    );
  }
  if (!document.data) return <Loading />;
  const pdf = document.data.media_type === 'application/pdf';
  const picture = isShownPicture(document.data.media_type);
  const url = contentUrl(documentId, passage?.version ?? null);
  return (
    <div className="viewer">
      {(pdf || picture) && (
        <div className={`viewer-bar viewer-bar-${picture ? 'text' : layout}`}>
          <Segmented
            label={t('viewer.title')}
            value={layout}
            choices={[
              { value: 'pages', label: t(pdf ? 'viewer.as_pdf' : 'viewer.as_picture') },
              { value: 'text', label: t('viewer.as_text') },
            ]}
            onChoose={(value) => {
              setFailed(false);
              setLayout(value);
            }}
          />
        </div>
      )}
      {failed && (
        <div className="notice notice-warn" role="alert">
          <div>
            <strong>{t('viewer.failed')}</strong> {t('viewer.failed_text')}
          </div>
        </div>
      )}
      {pdf && layout === 'pages' ? (
        <PdfView key={passage?.version ?? 'current'} url={url} passage={passage} onFailure={onFailure} />
      ) : picture && layout === 'pages' ? (
        <PictureView key={url} url={url} passage={passage} onFailure={onFailure} />
      ) : (
        <TextView documentId={documentId} passage={passage} />
      )}
    </div>
  );
}
