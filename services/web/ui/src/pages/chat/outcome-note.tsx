import { CircleSlash, Globe, MessageCircleQuestion, SearchX, TextQuote } from 'lucide-react';
import type { Message } from '../../chat/conversation';
import { searchedInVain } from '../../chat/web-note';
import { useT } from '../../i18n/use';

/** Says what kind of answer this is, when it is not a plain one. */
export function OutcomeNote({ message }: { message: Message }) {
  const t = useT();
  switch (message.outcome) {
    case 'quoted':
      return (
        <p className="outcome">
          <span className="badge badge-accent">
            <TextQuote size={14} aria-hidden="true" /> {t('answer.quoted')}
          </span>
          <span>{t('answer.quoted_text')}</span>
        </p>
      );
    case 'not_found':
      return (
        <div className="outcome-missing">
          <SearchX size={20} aria-hidden="true" />
          <div>
            <strong>{t('answer.not_found')}</strong>
            <p>{message.content || t('answer.not_found_text')}</p>
          </div>
        </div>
      );
    case 'clarify':
      return (
        <p className="outcome">
          <span className="badge badge-accent">
            <MessageCircleQuestion size={14} aria-hidden="true" /> {t('answer.clarify')}
          </span>
        </p>
      );
    case 'stopped':
      return (
        <p className="outcome">
          <span className="badge">
            <CircleSlash size={14} aria-hidden="true" /> {t('answer.stopped')}
          </span>
        </p>
      );
    default:
      return null;
  }
}

/** Says that a search of the web that was asked for gave nothing to the answer. */
export function WebNote({ message }: { message: Message }) {
  const t = useT();
  if (!searchedInVain(message)) return null;
  return (
    <p className="outcome web-note">
      <Globe size={15} aria-hidden="true" /> {t('answer.no_web')}
    </p>
  );
}
