import {
  AlertCircle,
  Check,
  ChevronLeft,
  ChevronRight,
  Copy,
  RotateCcw,
  ThumbsDown,
  ThumbsUp,
} from 'lucide-react';
import { lazy, memo, Suspense, useDeferredValue, useState } from 'react';
import { unsupportedSentences } from '../../chat/citations';
import type { Message } from '../../chat/conversation';
import { useErrorText, useT } from '../../i18n/use';
import { IconButton, Spinner } from '../../kit/controls';
import { toastDone, toastError } from '../../kit/toast';
import { OutcomeNote, WebNote } from './outcome-note';
import { SourceList } from './source-list';
import { Steps } from './steps';

const Markdown = lazy(() => import('./markdown'));

export interface AnswerActions {
  onOpenSource: (message: Message, n: number) => void;
  onRegenerate: (message: Message) => void;
  onRate: (message: Message, rating: number) => void;
  onChoose: (message: Message, id: string) => void;
}

export const Answer = memo(function Answer({
  message,
  siblings,
  actions,
  activeSource,
}: {
  message: Message;
  siblings: readonly string[];
  actions: AnswerActions;
  activeSource: number | null;
}) {
  const content = useDeferredValue(message.content);
  const writing = message.state === 'pending' || message.state === 'running';
  const notFound = message.outcome === 'not_found';
  return (
    <article className="answer" aria-busy={writing}>
      {writing && !message.content && !message.reasoning && <Steps message={message} />}
      <Reasoning text={message.reasoning} live={writing && !message.content} />
      <OutcomeNote message={message} />
      <WebNote message={message} />
      {content && !notFound && (
        <div className={`prose ${message.state === 'running' ? 'prose-writing' : ''}`}>
          <Suspense fallback={<p>{content}</p>}>
            <Markdown
              message={message}
              content={content}
              onOpenSource={(n) => actions.onOpenSource(message, n)}
            />
          </Suspense>
        </div>
      )}
      {writing && message.content && <Steps message={message} />}
      {message.error && <AnswerFailure message={message} onAgain={() => actions.onRegenerate(message)} />}
      {!writing && <UnsupportedNote message={message} />}
      {!writing && message.sources.length > 0 && (
        <SourceList
          message={message}
          expanded={notFound}
          active={activeSource}
          onOpen={(n) => actions.onOpenSource(message, n)}
        />
      )}
      {!writing && <Footer message={message} siblings={siblings} actions={actions} />}
    </article>
  );
});

/** What the model thinks before it answers: there for who wants it, out of the way for all others. */
function Reasoning({ text, live }: { text: string; live: boolean }) {
  const t = useT();
  if (!text) return null;
  return (
    <details className="reasoning">
      <summary>
        {live ? (
          <span className="reasoning-live" role="status">
            <Spinner /> {t('chat.thinking')}
          </span>
        ) : (
          t('chat.reasoning')
        )}
      </summary>
      <p>{text}</p>
    </details>
  );
}

function AnswerFailure({ message, onAgain }: { message: Message; onAgain: () => void }) {
  const t = useT();
  const errorText = useErrorText();
  if (!message.error) return null;
  return (
    <div className="notice" role="alert">
      <AlertCircle size={17} aria-hidden="true" />
      <div>
        <strong>{t('answer.failed')}</strong> {errorText(message.error)}{' '}
        <button type="button" className="link-button" onClick={onAgain}>
          {t('answer.ask_again')}
        </button>
      </div>
    </div>
  );
}

function UnsupportedNote({ message }: { message: Message }) {
  const t = useT();
  const n = unsupportedSentences(message.citations).length;
  if (n === 0) return null;
  return (
    <p className="unsupported-note">
      <AlertCircle size={15} aria-hidden="true" /> {t('answer.unsupported_count', { n })}
    </p>
  );
}

function Footer({
  message,
  siblings,
  actions,
}: {
  message: Message;
  siblings: readonly string[];
  actions: AnswerActions;
}) {
  const t = useT();
  const [copied, setCopied] = useState(false);
  const rate = (rating: number) => actions.onRate(message, rating);

  async function copy() {
    try {
      await navigator.clipboard.writeText(message.content);
      setCopied(true);
      setTimeout(() => setCopied(false), 1500);
      toastDone('common.copied');
    } catch (cause) {
      toastError(cause);
    }
  }

  return (
    <footer className="answer-footer">
      <Versions message={message} siblings={siblings} onChoose={(id) => actions.onChoose(message, id)} />
      {message.content && (
        <IconButton small label={t('chat.copy_answer')} onClick={() => void copy()}>
          {copied ? <Check size={16} /> : <Copy size={16} />}
        </IconButton>
      )}
      <IconButton small label={t('chat.regenerate')} onClick={() => actions.onRegenerate(message)}>
        <RotateCcw size={16} />
      </IconButton>
      <IconButton small label={t('chat.good')} aria-pressed={message.rating === 1} onClick={() => rate(1)}>
        <ThumbsUp size={16} />
      </IconButton>
      <IconButton small label={t('chat.bad')} aria-pressed={message.rating === -1} onClick={() => rate(-1)}>
        <ThumbsDown size={16} />
      </IconButton>
      <Meta message={message} />
    </footer>
  );
}

function Versions({
  message,
  siblings,
  onChoose,
}: {
  message: Message;
  siblings: readonly string[];
  onChoose: (id: string) => void;
}) {
  const t = useT();
  if (siblings.length < 2) return null;
  const at = siblings.indexOf(message.id);
  const move = (to: number) => {
    const id = siblings[to];
    if (id) onChoose(id);
  };
  return (
    <span className="versions">
      <IconButton small label={t('chat.previous_version')} disabled={at === 0} onClick={() => move(at - 1)}>
        <ChevronLeft size={16} />
      </IconButton>
      {t('chat.version_of', { n: at + 1, total: siblings.length })}
      <IconButton
        small
        label={t('chat.next_version')}
        disabled={at === siblings.length - 1}
        onClick={() => move(at + 1)}
      >
        <ChevronRight size={16} />
      </IconButton>
    </span>
  );
}

function Meta({ message }: { message: Message }) {
  const t = useT();
  const total = message.done?.timings_ms['total'];
  const parts = [
    message.outcome === 'answered' && message.done?.grounded ? t('answer.grounded') : null,
    message.done?.cached ? t('answer.cached') : null,
    message.done?.truncated ? t('answer.truncated') : null,
    // Quotations and refusals are no model's words.
    message.outcome === 'quoted' || message.outcome === 'not_found' ? null : message.model,
    total === undefined ? null : t('answer.seconds', { n: Math.max(0.1, Math.round(total / 100) / 10) }),
  ].filter(Boolean);
  return <span className="answer-meta">{parts.join(' · ')}</span>;
}
