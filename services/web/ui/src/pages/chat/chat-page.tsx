import { useQuery } from '@tanstack/react-query';
import { useCallback, useEffect, useMemo, useState, useSyncExternalStore } from 'react';
import { useLocation, useSearch } from 'wouter';
import * as api from '../../api/endpoints';
import { ApiError } from '../../api/errors';
import type { Message } from '../../chat/conversation';
import type { WebChoice } from '../../chat/outgoing';
import { sessionOf } from '../../chat/sessions';
import { visiblePath } from '../../chat/tree';
import { useT } from '../../i18n/use';
import { EmptyState, ErrorState, Loading } from '../../kit/controls';
import { toastDone, toastError } from '../../kit/toast';
import { keys, refresh, useKnowledgeBases } from '../../state/queries';
import { Composer, type Scope } from './composer';
import { Greeting, Suggestions } from './greeting';
import { MessageList } from './message-list';
import { SourcePanel } from './source-panel';
import { StartPage } from './start-page';
import './chat.css';

export function ChatPage({ chatId }: { chatId: string | null }) {
  return chatId === null ? <NewChat /> : <OpenChat chatId={chatId} />;
}

function NewChat() {
  const bases = useKnowledgeBases();
  const search = new URLSearchParams(useSearch());
  const preset = search.get('kb');
  const [scope, setScope] = useState<Scope>({
    knowledgeBaseIds: preset ? [preset] : [],
    model: null,
    webSearch: false,
  });
  const [starting, setStarting] = useState(false);
  const [, navigate] = useLocation();

  async function start(content: string, web: WebChoice) {
    setStarting(true);
    try {
      const chat = await api.createChat(scopeBody(scope));
      void sessionOf(chat.id)
        .ask(content, null, { ...scopeBody(scope), ...web })
        .then(() => refresh(keys.chats));
      void refresh(keys.chats);
      navigate(`/chat/${chat.id}`);
    } catch (cause) {
      toastError(cause);
      setStarting(false);
    }
  }

  if (bases.error) return <ErrorState error={bases.error} onRetry={() => void bases.refetch()} />;
  if (!bases.data) return <Loading />;
  if (bases.data.length === 0) return <StartPage />;
  return (
    <div className="chat chat-new">
      <div className="chat-column">
        <Greeting knowledgeBaseId={preset} />
        <Composer
          scope={scope}
          running={starting}
          followUp={false}
          onScope={setScope}
          onSend={(content, web) => void start(content, web)}
          onStop={() => undefined}
        />
        {preset !== null && search.has('samples') && (
          <Suggestions
            samplesId={preset}
            // They are about the sample documents: nothing needs to leave for them.
            onAsk={(content) => void start(content, { web_search: false })}
          />
        )}
      </div>
    </div>
  );
}

const scopeBody = (scope: Scope) => ({
  knowledge_base_ids: [...scope.knowledgeBaseIds],
  web_search: scope.webSearch,
  ...(scope.model ? { model: scope.model } : {}),
});

/** Which source of which answer is open beside the chat. */
interface OpenSource {
  messageId: string;
  n: number;
}

function OpenChat({ chatId }: { chatId: string }) {
  const t = useT();
  const session = useMemo(() => sessionOf(chatId), [chatId]);
  const conversation = useSyncExternalStore(session.subscribe, session.snapshot);
  const chat = useQuery({ queryKey: [...keys.chats, chatId], queryFn: () => api.getChat(chatId) });
  const [failure, setFailure] = useState<unknown>(null);
  const [loaded, setLoaded] = useState(conversation.messages.length > 0);
  const [open, setOpen] = useState<OpenSource | null>(null);
  const [chosenScope, setChosenScope] = useState<Scope | null>(null);

  const load = useCallback(() => {
    setFailure(null);
    session
      .load()
      .then(() => setLoaded(true))
      .catch(setFailure);
  }, [session]);
  useEffect(load, [load]);

  const path = useMemo(() => visiblePath(conversation.messages, conversation.chosen), [conversation]);
  const scope: Scope = chosenScope ?? {
    knowledgeBaseIds: chat.data?.knowledge_base_ids ?? [],
    model: chat.data?.model ?? null,
    webSearch: chat.data?.web_search ?? false,
  };

  const actions = useMemo(
    () => ({
      onOpenSource: (message: Message, n: number) => setOpen({ messageId: message.id, n }),
      onRegenerate: (message: Message) => {
        if (message.parent_id) void session.regenerate(message.id, message.parent_id);
      },
      onRate: (message: Message, rating: number) =>
        void session.rate(message.id, rating).then(() => toastDone('chat.thanks'), toastError),
      onChoose: (message: Message, id: string) =>
        session.dispatch({ type: 'chose', parent_id: message.parent_id, id }),
    }),
    [session],
  );

  function changeScope(next: Scope) {
    setChosenScope(next);
    api.updateChat(chatId, scopeBody(next)).catch(toastError);
  }

  function send(content: string, web: WebChoice) {
    const last = path.at(-1)?.message;
    const options = { ...scopeBody(scope), ...web };
    void session.ask(content, last?.id ?? null, options).then(() => refresh(keys.chats));
  }

  const missing = chat.error !== null && ApiError.of(chat.error).status === 404;
  if (missing)
    return <EmptyState heading="h1" icon={null} title={t('missing.title')} text={t('chat.not_found_chat')} />;
  if (failure !== null && path.length === 0) return <ErrorState error={failure} onRetry={load} />;
  const openMessage = open && conversation.messages.find((message) => message.id === open.messageId);
  return (
    <div className={`chat ${openMessage ? 'chat-with-panel' : ''}`}>
      <div className="chat-main">
        <h1 className="visually-hidden">{chat.data?.title || t('chat.untitled')}</h1>
        {path.length === 0 && !loaded ? (
          <Loading />
        ) : (
          <MessageList path={path} actions={actions} open={open} />
        )}
        <div className="chat-bottom">
          <Composer
            scope={scope}
            running={conversation.runningId !== null}
            followUp={path.length > 0}
            onScope={changeScope}
            onSend={send}
            onStop={() => void session.stop().catch(toastError)}
          />
        </div>
      </div>
      {open && openMessage && (
        <SourcePanel
          message={openMessage}
          n={open.n}
          onChoose={(n) => setOpen({ messageId: openMessage.id, n })}
          onClose={() => setOpen(null)}
        />
      )}
    </div>
  );
}
