import { useQuery } from '@tanstack/react-query';
import { FileText, SearchX } from 'lucide-react';
import { useState } from 'react';
import { Link, useLocation, useSearch } from 'wouter';
import * as api from '../api/endpoints';
import { useT } from '../i18n/use';
import { Button, EmptyState, ErrorState, Loading } from '../kit/controls';
import { keys } from '../state/queries';
import { documentUrl } from '../viewer/passage';
import { pageLabel } from './chat/source-text';
import './search.css';
import { flatText } from '../viewer/blocks';

export default function SearchPage() {
  const t = useT();
  const [, navigate] = useLocation();
  const q = new URLSearchParams(useSearch()).get('q')?.trim() ?? '';
  const [typed, setTyped] = useState(q);
  const found = useQuery({
    queryKey: keys.search(q),
    queryFn: () => api.retrieve({ query: q, top_k: 30 }),
    enabled: q !== '',
  });
  return (
    <div className="page page-narrow">
      <header className="page-head">
        <div>
          <h1>{t('search.title')}</h1>
          <p>{t('search.lead')}</p>
        </div>
      </header>
      <form
        className="search-form"
        role="search"
        onSubmit={(event) => {
          event.preventDefault();
          navigate(`/search?q=${encodeURIComponent(typed.trim())}`);
        }}
      >
        <input
          type="search"
          className="input"
          placeholder={t('search.placeholder')}
          aria-label={t('search.placeholder')}
          value={typed}
          autoFocus
          onChange={(event) => setTyped(event.target.value)}
        />
        <Button type="submit" kind="primary">
          {t('search.submit')}
        </Button>
      </form>
      {found.isLoading && <Loading />}
      {found.error && <ErrorState error={found.error} onRetry={() => void found.refetch()} />}
      {found.data?.hits.length === 0 && (
        <EmptyState
          icon={<SearchX size={40} strokeWidth={1.3} />}
          title={t('search.none', { q })}
          text={t('search.none_text')}
        />
      )}
      <ol className="hits">
        {found.data?.hits.map((hit) => (
          <li key={hit.chunk_id}>
            <Link href={documentUrl(hit.document_id, { chunkId: hit.chunk_id })} className="hit">
              <span className="hit-title">
                <FileText size={15} aria-hidden="true" /> {hit.document_name}
                <small>{[pageLabel(t, hit), ...hit.heading_path].filter(Boolean).join(' · ')}</small>
              </span>
              <span className="hit-text">{flatText(hit.text)}</span>
            </Link>
          </li>
        ))}
      </ol>
    </div>
  );
}
