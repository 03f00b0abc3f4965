import { useQuery } from '@tanstack/react-query';
import { FileX2 } from 'lucide-react';
import { memo, useEffect, useRef } from 'react';
import * as api from '../api/endpoints';
import type { Chunk } from '../api/types';
import { useT } from '../i18n/use';
import { EmptyState, ErrorState, Loading } from '../kit/controls';
import { keys } from '../state/queries';
import { newHeadings, withoutHeading } from './headings';
import type { Passage } from './passage';
import { PassageText } from './passage-text';

/** A document as the text that answers come from, under its headings, with the cited passage marked. */
export function TextView({ documentId, passage }: { documentId: string; passage: Passage | null }) {
  const t = useT();
  const chunks = useQuery({ queryKey: keys.chunks(documentId), queryFn: () => api.listChunks(documentId) });
  const marked = useRef<HTMLElement>(null);
  const chunkId = passage?.chunkId ?? null;

  useEffect(() => {
    // In a long passage the lines that were quoted matter most.
    const target = marked.current?.querySelector('mark, .evidence-row') ?? marked.current;
    target?.scrollIntoView({ block: 'center' });
  }, [chunkId, chunks.data]);

  if (chunks.error) return <ErrorState error={chunks.error} onRetry={() => void chunks.refetch()} />;
  if (!chunks.data) return <Loading />;
  if (chunks.data.length === 0) {
    return <EmptyState icon={<FileX2 size={36} strokeWidth={1.3} />} title={t('viewer.no_text')} />;
  }
  const present = chunkId === null || chunks.data.some((chunk) => chunk.id === chunkId);
  return (
    <div className="text-view" tabIndex={0} role="region" aria-label={t('viewer.title')}>
      {!present && passage && (
        <figure className="text-changed">
          <figcaption>{t('viewer.changed')}</figcaption>
          <blockquote className="text-marked">
            <PassageText text={passage.excerpt} evidence={passage.sentences} />
          </blockquote>
        </figure>
      )}
      <div className="text-sheet">
        {chunks.data.map((chunk, index) => (
          <TextChunk
            key={chunk.id}
            chunk={chunk}
            before={chunks.data[index - 1]?.heading_path ?? []}
            marked={chunk.id === chunkId ? marked : null}
            evidence={chunk.id === chunkId ? passage?.sentences : undefined}
          />
        ))}
      </div>
    </div>
  );
}

const TextChunk = memo(function TextChunk({
  chunk,
  before,
  marked,
  evidence,
}: {
  chunk: Chunk;
  before: readonly string[];
  marked: React.RefObject<HTMLElement | null> | null;
  evidence: readonly string[] | undefined;
}) {
  const t = useT();
  const headings = newHeadings(before, chunk.heading_path);
  return (
    <>
      {headings.map(({ depth, text }) => {
        const Heading = (['h2', 'h3', 'h4'] as const)[Math.min(depth, 2)] ?? 'h4';
        return <Heading key={`${depth}${text}`}>{text}</Heading>;
      })}
      <div
        ref={marked as React.RefObject<HTMLDivElement> | null}
        className={marked ? 'text-chunk text-marked' : 'text-chunk'}
        data-chunk={chunk.id}
        {...(marked ? { role: 'mark', 'aria-label': t('viewer.passage') } : {})}
      >
        <PassageText text={withoutHeading(chunk.text, headings)} evidence={evidence} />
      </div>
    </>
  );
});
