import { useQuery } from '@tanstack/react-query';
import { FileText, MessageSquare, SearchX } from 'lucide-react';
import { useState } from 'react';
import { Link, useLocation, useSearch } from 'wouter';
import * as api from '../api/endpoints';
import type { ChatSnippet, PassageSnippet, SnippetPart } from '../api/types';
import { useFormat, useT } from '../i18n/use';
import { Button, EmptyState, ErrorState, Loading } from '../kit/controls';
import { keys } from '../state/queries';
import { documentUrl } from '../viewer/passage';
import { pageLabel } from './chat/source-text';
import './search.css';

export default function SearchPage() {
  const t = useT();
  const [, navigate] = useLocation();
  const q = new URLSearchParams(useSearch()).get('q')?.trim() ?? '';
  const [typed, setTyped] = useState(q);
  const found = useQuery({ queryKey: keys.search(q), queryFn: () => api.search(q), enabled: q !== '' });
  const { documents = [], chats = [] } = found.data ?? {};
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
          if (typed.trim()) navigate(`/search?q=${encodeURIComponent(typed.trim())}`);
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
      {found.data && documents.length + chats.length === 0 && (
        <EmptyState
          icon={<SearchX size={40} strokeWidth={1.3} />}
          title={t('search.none', { q })}
          text={t('search.none_text')}
        />
      )}
      {documents.length > 0 && (
        <section>
          <h2 className="hits-label">
            {t('search.documents')} · {t('search.results', { n: documents.length })}
          </h2>
          <ol className="hits">
            {documents.map((hit) => (
              <DocumentHit key={hit.chunk_id} hit={hit} />
            ))}
          </ol>
        </section>
      )}
      {chats.length > 0 && (
        <section>
          <h2 className="hits-label">
            {t('search.chats')} · {t('search.results', { n: chats.length })}
          </h2>
          <ol className="hits">
            {chats.map((hit) => (
              <ChatHit key={hit.message_id} hit={hit} />
            ))}
          </ol>
        </section>
      )}
    </div>
  );
}

function DocumentHit({ hit }: { hit: PassageSnippet }) {
  const t = useT();
  return (
    <li>
      <Link href={documentUrl(hit.document_id, { chunkId: hit.chunk_id })} className="hit">
        <span className="hit-title">
          <FileText size={15} aria-hidden="true" /> {hit.document_name}
          <small>{[pageLabel(t, hit), ...hit.heading_path].filter(Boolean).join(' · ')}</small>
        </span>
        <span className="hit-text">
          {hit.cut_before && '…'}
          <Snippet parts={hit.snippet} />
          {hit.cut_after && '…'}
        </span>
      </Link>
    </li>
  );
}

function ChatHit({ hit }: { hit: ChatSnippet }) {
  const t = useT();
  const { date } = useFormat();
  return (
    <li>
      <Link href={`/chat/${hit.chat_id}`} className="hit">
        <span className="hit-title">
          <MessageSquare size={15} aria-hidden="true" /> {hit.title || t('chat.untitled')}
          <small>{date(hit.created_at)}</small>
        </span>
        <span className="hit-text">
          <Snippet parts={hit.snippet} />
        </span>
      </Link>
    </li>
  );
}

function Snippet({ parts }: { parts: readonly SnippetPart[] }) {
  return parts.map((part, index) => {
    // Cells of a table stand between pipes.
    const text = part.text.replaceAll(' | ', ' · ');
    return part.matched ? <mark key={index}>{text}</mark> : <span key={index}>{text}</span>;
  });
}
