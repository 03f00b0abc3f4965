import { Globe, ShieldAlert } from 'lucide-react';
import { useEffect, useId, useRef, type FormEvent } from 'react';
import { MAX_QUERY_CHARS, sentRuns, type Confirmation } from '../../chat/outgoing';
import { useT } from '../../i18n/use';
import { Button, ErrorNotice, Spinner } from '../../kit/controls';

/** Shows what would leave for a question before it does, and asks for the asker's word. */
export function OutgoingPanel({
  confirmation,
  running,
  onEdit,
  onConfirm,
  onWithoutWeb,
  onCancel,
}: {
  confirmation: Confirmation;
  /** Whether another answer is being written: a question waits for its end. */
  running: boolean;
  onEdit: (draft: string) => void;
  onConfirm: () => void;
  onWithoutWeb: () => void;
  onCancel: () => void;
}) {
  const t = useT();
  const id = useId();
  const { state } = confirmation;
  const isEmpty = state === 'asking' && confirmation.draft.trim() === '';

  function submit(event: FormEvent) {
    event.preventDefault();
    if (!running) onConfirm();
  }

  return (
    <form
      className="outgoing"
      aria-labelledby={`${id}-title`}
      aria-busy={state === 'checking'}
      onSubmit={submit}
      onKeyDown={(event) => event.key === 'Escape' && onCancel()}
    >
      <h2 id={`${id}-title`}>
        <Globe size={16} aria-hidden="true" /> {t('outgoing.title')}
      </h2>
      {state === 'checking' && (
        <p className="outgoing-note" role="status">
          <Spinner /> {t('outgoing.checking')}
        </p>
      )}
      {state === 'failed' && <ErrorNotice error={confirmation.error} />}
      {state === 'asking' && <Query id={id} asking={confirmation} onEdit={onEdit} />}
      <div className="form-actions">
        <Button onClick={onCancel}>{t('common.cancel')}</Button>
        <Button disabled={running} onClick={onWithoutWeb}>
          {t('outgoing.without')}
        </Button>
        <Button type="submit" kind="primary" disabled={running || state === 'checking' || isEmpty}>
          {state === 'failed' ? t('common.retry') : t('outgoing.send')}
        </Button>
      </div>
    </form>
  );
}

function Query({
  id,
  asking,
  onEdit,
}: {
  id: string;
  asking: Extract<Confirmation, { state: 'asking' }>;
  onEdit: (draft: string) => void;
}) {
  const t = useT();
  const input = useRef<HTMLInputElement>(null);
  const { question, draft, proposal, corrected } = asking;

  // What is to be looked at takes the focus, also when the rules have changed it once more.
  useEffect(() => input.current?.focus(), [proposal]);

  return (
    <>
      <div className="field">
        <label htmlFor={`${id}-query`}>{t('outgoing.query')}</label>
        <input
          ref={input}
          id={`${id}-query`}
          className="input"
          value={draft}
          maxLength={MAX_QUERY_CHARS}
          autoComplete="off"
          aria-invalid={proposal.blocked || undefined}
          aria-describedby={`${id}-note`}
          onChange={(event) => onEdit(event.target.value)}
        />
      </div>
      <div id={`${id}-note`} className="outgoing-notes" role="status">
        {proposal.blocked && (
          <p className="outgoing-blocked">
            <ShieldAlert size={15} aria-hidden="true" /> {t('outgoing.blocked')}
          </p>
        )}
        {corrected && !proposal.blocked && <p>{t('outgoing.corrected')}</p>}
        {proposal.redactions > 0 && <p>{t('outgoing.redactions', { n: proposal.redactions })}</p>}
      </div>
      {!proposal.blocked && <Difference question={question} query={proposal.query} />}
    </>
  );
}

/** The question, with what of it does not leave struck through. */
function Difference({ question, query }: { question: string; query: string }) {
  const t = useT();
  const runs = sentRuns(question, query);
  return (
    <p className="outgoing-question">
      <b>{runs.every((run) => run.sent) ? t('outgoing.unchanged') : t('outgoing.question')}</b>{' '}
      {runs.map((run, index) =>
        run.sent ? <span key={index}>{run.text}</span> : <del key={index}>{run.text}</del>,
      )}
    </p>
  );
}
