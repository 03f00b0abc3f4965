import { useQuery } from '@tanstack/react-query';
import { useId } from 'react';
import * as api from '../../api/endpoints';
import type { ChunkProfile, PreviewSide } from '../../api/types';
import { useT } from '../../i18n/use';
import { ErrorState, Loading } from '../../kit/controls';
import { keys } from '../../state/queries';
import { PassageText } from '../../viewer/passage-text';

/** Passages shown on each side. */
const SHOWN = 30;

/** A document's passages as they are, beside those that another profile would make. */
export function ChunkComparison({ documentId, profile }: { documentId: string; profile: ChunkProfile }) {
  const t = useT();
  const preview = useQuery({
    queryKey: keys.chunkPreview(documentId, profile),
    queryFn: () => api.previewChunks(documentId, { chunk_profile: profile, limit: SHOWN }),
  });
  if (preview.error) return <ErrorState error={preview.error} onRetry={() => void preview.refetch()} />;
  if (!preview.data) return <Loading />;
  return (
    <div className="comparison">
      <Side title={t('passages.now')} side={preview.data.current} />
      <Side title={t('passages.then')} side={preview.data.proposed} />
    </div>
  );
}

function Side({ title, side }: { title: string; side: PreviewSide }) {
  const t = useT();
  const id = useId();
  const rest = side.chunk_count - side.chunks.length;
  return (
    <section className="card side" aria-labelledby={id}>
      <header>
        <h3 id={id}>
          {title} <span>{t(`profile.${side.chunk_profile}`)}</span>
        </h3>
        <p>{t('passages.summary', { n: side.chunk_count, tokens: side.median_tokens })}</p>
      </header>
      {/* A list that scrolls must be reachable by the keyboard. */}
      <ol tabIndex={0} aria-labelledby={id}>
        {side.chunks.map((chunk) => (
          <li key={chunk.ordinal}>
            <p className="side-head">
              <span>{chunk.ordinal + 1}</span>
              <span className="side-path">{chunk.heading_path.join(' › ')}</span>
              <span>{t('passages.tokens', { n: chunk.tokens })}</span>
            </p>
            <div className="side-text">
              <PassageText text={chunk.text} />
            </div>
          </li>
        ))}
        {rest > 0 && <li className="side-rest">{t('passages.more', { n: rest })}</li>}
      </ol>
    </section>
  );
}
