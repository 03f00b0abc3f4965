import { MoreHorizontal, Pencil, Pin, PinOff, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { Link, useLocation } from 'wouter';
import * as api from '../api/endpoints';
import type { Chat } from '../api/types';
import { useT } from '../i18n/use';
import type { MessageKey } from '../i18n/translate';
import { TextField } from '../kit/controls';
import { ConfirmDialog, FormDialog } from '../kit/dialog';
import { Menu } from '../kit/menu';
import { toastError } from '../kit/toast';
import { keys, refresh, useChats } from '../state/queries';
import { groupChats, type ChatGroup } from './chat-groups';

const GROUP_LABELS: Record<ChatGroup, MessageKey> = {
  pinned: 'chat.pinned',
  today: 'chat.today',
  week: 'chat.week',
  earlier: 'chat.earlier',
};

export function ChatList() {
  const t = useT();
  const chats = useChats();
  const [renaming, setRenaming] = useState<Chat | null>(null);
  const [deleting, setDeleting] = useState<Chat | null>(null);
  const [location, navigate] = useLocation();

  async function remove(chat: Chat) {
    await api.deleteChat(chat.id);
    await refresh(keys.chats);
    if (location === `/chat/${chat.id}`) navigate('/chat');
  }

  return (
    <nav className="chat-list" aria-label={t('chat.list')}>
      {chats.data?.length === 0 && <p className="chat-list-empty">{t('chat.empty_list')}</p>}
      {groupChats(chats.data ?? [], new Date()).map(([group, list]) => (
        <section key={group}>
          <h2 className="nav-label">{t(GROUP_LABELS[group])}</h2>
          <ul>
            {list.map((chat) => (
              <ChatRow
                key={chat.id}
                chat={chat}
                current={location === `/chat/${chat.id}`}
                onRename={() => setRenaming(chat)}
                onDelete={() => setDeleting(chat)}
              />
            ))}
          </ul>
        </section>
      ))}
      {renaming && <RenameDialog chat={renaming} onClose={() => setRenaming(null)} />}
      {deleting && (
        <ConfirmDialog
          title={t('chat.delete_title')}
          text={t('chat.delete_text', { title: deleting.title || t('chat.untitled') })}
          onConfirm={() => remove(deleting)}
          onClose={() => setDeleting(null)}
        />
      )}
    </nav>
  );
}

function ChatRow({
  chat,
  current,
  onRename,
  onDelete,
}: {
  chat: Chat;
  current: boolean;
  onRename: () => void;
  onDelete: () => void;
}) {
  const t = useT();
  const title = chat.title || t('chat.untitled');
  const pin = () =>
    void api
      .updateChat(chat.id, { pinned: !chat.pinned })
      .then(() => refresh(keys.chats))
      .catch(toastError);
  return (
    <li className="chat-row">
      <Link href={`/chat/${chat.id}`} aria-current={current ? 'page' : undefined} title={title}>
        {title}
      </Link>
      <Menu
        trigger={
          <button
            type="button"
            className="icon-button icon-button-small"
            aria-label={`${t('common.more')}: ${title}`}
          >
            <MoreHorizontal size={16} />
          </button>
        }
        entries={[
          {
            key: 'pin',
            label: chat.pinned ? t('chat.unpin') : t('chat.pin'),
            icon: chat.pinned ? <PinOff size={16} /> : <Pin size={16} />,
            onSelect: pin,
          },
          { key: 'rename', label: t('chat.rename'), icon: <Pencil size={16} />, onSelect: onRename },
          {
            key: 'delete',
            label: t('common.delete'),
            icon: <Trash2 size={16} />,
            danger: true,
            onSelect: onDelete,
          },
        ]}
      />
    </li>
  );
}

function RenameDialog({ chat, onClose }: { chat: Chat; onClose: () => void }) {
  const t = useT();
  const [title, setTitle] = useState(chat.title);
  return (
    <FormDialog
      title={t('chat.rename_title')}
      submitLabel={t('common.save')}
      disabled={title.trim() === ''}
      onSubmit={() => api.updateChat(chat.id, { title: title.trim() }).then(() => refresh(keys.chats))}
      onClose={onClose}
    >
      <TextField
        label={t('common.name')}
        value={title}
        maxLength={200}
        autoFocus
        onChange={(event) => setTitle(event.target.value)}
      />
    </FormDialog>
  );
}
