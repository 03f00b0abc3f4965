import { ArrowDown } from 'lucide-react';
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';
import type { Message } from '../../chat/conversation';
import type { PathStep } from '../../chat/tree';
import { useT } from '../../i18n/use';
import { Answer, type AnswerActions } from './answer';

/** Nearer to the end than this counts as being at the end. */
const END_PX = 80;
/** Space kept above the question that is being answered. */
const MARGIN_PX = 20;

/**
 * Keeps the newest text in view while an answer arrives, but never moves its question out of sight, and leaves
 * the view alone once the reader has taken it.
 */
function useFollowing(path: readonly PathStep<Message>[]) {
  const scroller = useRef<HTMLDivElement>(null);
  const reading = useRef(false);
  const [atEnd, setAtEnd] = useState(true);
  const count = path.length;

  const look = useCallback(() => {
    const element = scroller.current;
    if (element) setAtEnd(element.scrollHeight - element.scrollTop - element.clientHeight < END_PX);
  }, []);

  // A new question comes into view whatever the reader was looking at.
  useLayoutEffect(() => {
    reading.current = false;
  }, [count]);
  const follow = useCallback(() => {
    const element = scroller.current;
    if (!element) return;
    if (!reading.current) {
      const questions = element.querySelectorAll<HTMLElement>('.question');
      const top = (questions[questions.length - 1]?.offsetTop ?? 0) - MARGIN_PX;
      element.scrollTop = Math.min(element.scrollHeight - element.clientHeight, Math.max(0, top));
    }
    look();
  }, [look]);
  useLayoutEffect(follow, [path, follow]);
  // Markdown and fonts come later than the text that they show.
  useEffect(() => {
    const content = scroller.current?.firstElementChild;
    if (!content) return;
    const observer = new ResizeObserver(follow);
    observer.observe(content);
    return () => observer.disconnect();
  }, [follow]);

  const taken = () => {
    reading.current = true;
  };
  const toEnd = () => {
    taken();
    scroller.current?.scrollTo({ top: scroller.current.scrollHeight });
  };
  return { scroller, atEnd, look, taken, toEnd };
}

export function MessageList({
  path,
  actions,
  open,
}: {
  path: readonly PathStep<Message>[];
  actions: AnswerActions;
  open: { messageId: string; n: number } | null;
}) {
  const t = useT();
  const { scroller, atEnd, look, taken, toEnd } = useFollowing(path);
  return (
    <div
      className="messages"
      ref={scroller}
      onScroll={look}
      onWheel={taken}
      onTouchMove={taken}
      onKeyDown={taken}
      onPointerDown={taken}
    >
      <div className="chat-column">
        {path.map(({ message, siblings }) =>
          message.role === 'user' ? (
            <article key={message.id} className="question">
              <h2 className="visually-hidden">{t('chat.you')}</h2>
              <p>{message.content}</p>
            </article>
          ) : (
            <Answer
              key={`answer-of-${message.parent_id}`}
              message={message}
              siblings={siblings}
              actions={actions}
              activeSource={open?.messageId === message.id ? open.n : null}
            />
          ),
        )}
      </div>
      {!atEnd && (
        <button type="button" className="to-latest" aria-label={t('chat.scroll_down')} onClick={toEnd}>
          <ArrowDown size={18} />
        </button>
      )}
    </div>
  );
}
