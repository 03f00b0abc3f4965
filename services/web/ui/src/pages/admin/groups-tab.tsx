import { useQuery } from '@tanstack/react-query';
import { Pencil, Plus, Trash2, UsersRound, X } from 'lucide-react';
import { useState } from 'react';
import * as api from '../../api/endpoints';
import type { Group, User } from '../../api/types';
import { useT } from '../../i18n/use';
import {
  Avatar,
  Button,
  EmptyState,
  ErrorState,
  IconButton,
  Loading,
  TextAreaField,
  TextField,
} from '../../kit/controls';
import { ConfirmDialog, FormDialog } from '../../kit/dialog';
import { toastError } from '../../kit/toast';
import { keys, refresh } from '../../state/queries';

type Open = { kind: 'new' } | { kind: 'edit' | 'delete'; group: Group } | null;

export function GroupsTab() {
  const t = useT();
  const groups = useQuery({ queryKey: keys.groups, queryFn: api.listGroups });
  const users = useQuery({ queryKey: keys.users, queryFn: api.listUsers });
  const [open, setOpen] = useState<Open>(null);
  const close = () => setOpen(null);
  return (
    <>
      <header className="tab-head">
        <p>{t('groups.lead')}</p>
        <Button kind="primary" onClick={() => setOpen({ kind: 'new' })}>
          <Plus size={17} aria-hidden="true" /> {t('groups.new')}
        </Button>
      </header>
      {groups.isLoading && <Loading />}
      {groups.error && <ErrorState error={groups.error} onRetry={() => void groups.refetch()} />}
      {groups.data?.length === 0 && (
        <EmptyState
          icon={<UsersRound size={44} strokeWidth={1.2} />}
          title={t('groups.empty')}
          text={t('groups.empty_text')}
        />
      )}
      <ul className="groups">
        {groups.data?.map((group) => (
          <GroupCard
            key={group.id}
            group={group}
            users={users.data ?? []}
            onEdit={() => setOpen({ kind: 'edit', group })}
            onDelete={() => setOpen({ kind: 'delete', group })}
          />
        ))}
      </ul>
      {open?.kind === 'new' && <GroupDialog onClose={close} />}
      {open?.kind === 'edit' && <GroupDialog group={open.group} onClose={close} />}
      {open?.kind === 'delete' && (
        <ConfirmDialog
          title={t('groups.delete_title')}
          text={t('groups.delete_text', { name: open.group.name })}
          onConfirm={() => api.deleteGroup(open.group.id).then(() => refresh(keys.groups))}
          onClose={close}
        />
      )}
    </>
  );
}

function GroupCard({
  group,
  users,
  onEdit,
  onDelete,
}: {
  group: Group;
  users: readonly User[];
  onEdit: () => void;
  onDelete: () => void;
}) {
  const t = useT();
  const members = users.filter((user) => group.members.includes(user.id));
  const others = users.filter((user) => !group.members.includes(user.id));
  const change = (work: Promise<unknown>) => void work.then(() => refresh(keys.groups)).catch(toastError);
  const name = (user: User) => user.display_name || user.username;
  return (
    <li className="card group-card">
      <header>
        <div>
          <h2>{group.name}</h2>
          {group.description && <p>{group.description}</p>}
        </div>
        <span className="badge">{t('groups.members', { n: group.members.length })}</span>
        <IconButton small label={`${t('common.edit')}: ${group.name}`} onClick={onEdit}>
          <Pencil size={16} />
        </IconButton>
        <IconButton small label={`${t('common.delete')}: ${group.name}`} onClick={onDelete}>
          <Trash2 size={16} />
        </IconButton>
      </header>
      <ul className="members" aria-label={t('groups.members_title')}>
        {members.length === 0 && <li className="no-members">{t('groups.no_members')}</li>}
        {members.map((user) => (
          <li key={user.id} className="member">
            <Avatar name={name(user)} />
            {name(user)}
            <IconButton
              small
              label={t('access.remove', { name: name(user) })}
              onClick={() => change(api.removeMember(group.id, user.id))}
            >
              <X size={14} />
            </IconButton>
          </li>
        ))}
        {others.length > 0 && (
          <li>
            <select
              className="input select select-small"
              value=""
              aria-label={`${t('groups.add_member')}: ${group.name}`}
              onChange={(event) => change(api.addMember(group.id, event.target.value))}
            >
              <option value="" disabled>
                {t('groups.add_member')}
              </option>
              {others.map((user) => (
                <option key={user.id} value={user.id}>
                  {name(user)}
                </option>
              ))}
            </select>
          </li>
        )}
      </ul>
    </li>
  );
}

function GroupDialog({ group, onClose }: { group?: Group; onClose: () => void }) {
  const t = useT();
  const [name, setName] = useState(group?.name ?? '');
  const [description, setDescription] = useState(group?.description ?? '');

  async function save() {
    const body = { name: name.trim(), description: description.trim() };
    await (group ? api.updateGroup(group.id, body) : api.createGroup(body));
    await refresh(keys.groups);
  }

  return (
    <FormDialog
      title={group ? t('groups.edit') : t('groups.new')}
      submitLabel={group ? t('common.save') : t('common.create')}
      disabled={name.trim() === ''}
      onSubmit={save}
      onClose={onClose}
    >
      <TextField
        label={t('common.name')}
        name="name"
        value={name}
        required
        autoFocus
        onChange={(event) => setName(event.target.value)}
      />
      <TextAreaField
        label={t('common.description')}
        optional
        value={description}
        onChange={(event) => setDescription(event.target.value)}
      />
    </FormDialog>
  );
}
