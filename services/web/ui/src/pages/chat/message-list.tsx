import { ArrowDown } from 'lucide-react';
import { useEffect, useLayoutEffect, useRef, useState } from 'react';
import type { Message } from '../../chat/conversation';
import type { PathStep } from '../../chat/tree';
import { useT } from '../../i18n/use';
import { Answer, type AnswerActions } from './answer';

/** Nearer to the end than this counts as reading along. */
const FOLLOW_DISTANCE_PX = 80;

export function MessageList({
  path,
  running,
  actions,
  open,
}: {
  path: readonly PathStep<Message>[];
  running: boolean;
  actions: AnswerActions;
  open: { messageId: string; n: number } | null;
}) {
  const t = useT();
  const scroller = useRef<HTMLDivElement>(null);
  const [following, setFollowing] = useState(true);
  const count = path.length;

  // A new question always comes into view; text that arrives moves the view only for who reads along.
  useEffect(() => setFollowing(true), [count]);
  useLayoutEffect(() => {
    const element = scroller.current;
    if (element && following) element.scrollTop = element.scrollHeight;
  }, [path, following, running]);

  function onScroll() {
    const element = scroller.current;
    if (!element) return;
    const distance = element.scrollHeight - element.scrollTop - element.clientHeight;
    setFollowing(distance < FOLLOW_DISTANCE_PX);
  }

  return (
    <div className="messages" ref={scroller} onScroll={onScroll}>
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
      {!following && (
        <button
          type="button"
          className="to-latest"
          aria-label={t('chat.scroll_down')}
          onClick={() => setFollowing(true)}
        >
          <ArrowDown size={18} />
        </button>
      )}
    </div>
  );
}
