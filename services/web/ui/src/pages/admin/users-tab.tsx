import { useQuery } from '@tanstack/react-query';
import { Ban, CircleCheck, MoreHorizontal, Pencil, Plus, Trash2 } from 'lucide-react';
import { useState } from 'react';
import * as api from '../../api/endpoints';
import type { User } from '../../api/types';
import { useFormat, useT } from '../../i18n/use';
import {
  Avatar,
  Button,
  ErrorState,
  Loading,
  PasswordField,
  SelectField,
  TextField,
} from '../../kit/controls';
import { ConfirmDialog, FormDialog } from '../../kit/dialog';
import { Menu } from '../../kit/menu';
import { toastError } from '../../kit/toast';
import { keys, refresh } from '../../state/queries';

type Open = { kind: 'new' } | { kind: 'edit' | 'delete'; user: User } | null;

export function UsersTab({ me }: { me: User }) {
  const t = useT();
  const users = useQuery({ queryKey: keys.users, queryFn: api.listUsers });
  const [filter, setFilter] = useState('');
  const [open, setOpen] = useState<Open>(null);
  const close = () => setOpen(null);
  const needle = filter.trim().toLowerCase();
  const listed = (users.data ?? []).filter((user) =>
    `${user.display_name} ${user.username}`.toLowerCase().includes(needle),
  );
  return (
    <>
      <header className="tab-head">
        <p>{t('users.lead')}</p>
        <Button kind="primary" onClick={() => setOpen({ kind: 'new' })}>
          <Plus size={17} aria-hidden="true" /> {t('users.new')}
        </Button>
      </header>
      <div className="toolbar">
        <input
          type="search"
          className="input"
          placeholder={t('users.filter')}
          aria-label={t('users.filter')}
          value={filter}
          onChange={(event) => setFilter(event.target.value)}
        />
      </div>
      {users.isLoading && <Loading />}
      {users.error && <ErrorState error={users.error} onRetry={() => void users.refetch()} />}
      {users.data && (
        <UserTable
          users={listed}
          me={me}
          onEdit={(user) => setOpen({ kind: 'edit', user })}
          onDelete={(user) => setOpen({ kind: 'delete', user })}
        />
      )}
      {open?.kind === 'new' && <UserDialog onClose={close} />}
      {open?.kind === 'edit' && <UserDialog user={open.user} onClose={close} />}
      {open?.kind === 'delete' && (
        <ConfirmDialog
          title={t('users.delete_title')}
          text={t('users.delete_text', { name: open.user.display_name || open.user.username })}
          onConfirm={() => api.deleteUser(open.user.id).then(() => refresh(keys.users))}
          onClose={close}
        />
      )}
    </>
  );
}

function UserTable({
  users,
  me,
  onEdit,
  onDelete,
}: {
  users: readonly User[];
  me: User;
  onEdit: (user: User) => void;
  onDelete: (user: User) => void;
}) {
  const t = useT();
  const format = useFormat();
  return (
    <div className="card table-wrap">
      <table className="table">
        <thead>
          <tr>
            <th scope="col">{t('common.name')}</th>
            <th scope="col">{t('users.role')}</th>
            <th scope="col" className="narrow-hide">
              {t('users.status')}
            </th>
            <th scope="col" className="narrow-hide">
              {t('users.last_login')}
            </th>
            <th scope="col">
              <span className="visually-hidden">{t('common.more')}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {users.map((user) => (
            <tr key={user.id}>
              <td>
                <div className="person">
                  <Avatar name={user.display_name || user.username} />
                  <span>
                    {user.display_name || user.username} {user.id === me.id && t('users.you')}
                    <small>{user.username}</small>
                  </span>
                </div>
              </td>
              <td>{t(`users.role_${user.role}`)}</td>
              <td className="narrow-hide">
                <span className={`badge ${user.disabled ? 'badge-danger' : 'badge-ok'}`}>
                  {user.disabled ? t('users.disabled') : t('users.active')}
                </span>
              </td>
              <td className="narrow-hide">
                {user.last_login_at ? format.time(user.last_login_at) : t('users.never')}
              </td>
              <td className="actions">
                <UserMenu user={user} self={user.id === me.id} onEdit={onEdit} onDelete={onDelete} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function UserMenu({
  user,
  self,
  onEdit,
  onDelete,
}: {
  user: User;
  /** Nobody locks themselves out by accident. */
  self: boolean;
  onEdit: (user: User) => void;
  onDelete: (user: User) => void;
}) {
  const t = useT();
  const toggle = () =>
    void api
      .updateUser(user.id, { disabled: !user.disabled })
      .then(() => refresh(keys.users))
      .catch(toastError);
  return (
    <Menu
      trigger={
        <button
          type="button"
          className="icon-button icon-button-small"
          aria-label={`${t('common.more')}: ${user.username}`}
        >
          <MoreHorizontal size={17} />
        </button>
      }
      entries={[
        { key: 'edit', label: t('common.edit'), icon: <Pencil size={16} />, onSelect: () => onEdit(user) },
        {
          key: 'disable',
          label: user.disabled ? t('users.enable') : t('users.disable'),
          icon: user.disabled ? <CircleCheck size={16} /> : <Ban size={16} />,
          disabled: self,
          onSelect: toggle,
        },
        {
          key: 'delete',
          label: t('common.delete'),
          icon: <Trash2 size={16} />,
          danger: true,
          disabled: self,
          onSelect: () => onDelete(user),
        },
      ]}
    />
  );
}

function UserDialog({ user, onClose }: { user?: User; onClose: () => void }) {
  const t = useT();
  const [username, setUsername] = useState(user?.username ?? '');
  const [displayName, setDisplayName] = useState(user?.display_name ?? '');
  const [password, setPassword] = useState('');
  const [role, setRole] = useState<User['role']>(user?.role ?? 'user');

  async function save() {
    if (user) {
      await api.updateUser(user.id, { display_name: displayName, role, ...(password ? { password } : {}) });
    } else {
      await api.createUser({ username, password, display_name: displayName, role });
    }
    await Promise.all([refresh(keys.users), refresh(keys.me)]);
  }

  return (
    <FormDialog
      title={user ? t('users.edit') : t('users.new')}
      submitLabel={user ? t('common.save') : t('common.create')}
      onSubmit={save}
      onClose={onClose}
    >
      <TextField
        label={t('users.display_name')}
        name="display_name"
        value={displayName}
        required
        autoFocus
        onChange={(event) => setDisplayName(event.target.value)}
      />
      {!user && (
        <TextField
          label={t('users.username')}
          name="username"
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          value={username}
          required
          onChange={(event) => setUsername(event.target.value)}
        />
      )}
      <PasswordField
        label={user ? t('users.new_password') : t('users.password')}
        hint={user ? t('users.new_password_hint') : t('setup.password_hint')}
        name="password"
        autoComplete="new-password"
        value={password}
        required={!user}
        onChange={(event) => setPassword(event.target.value)}
      />
      <SelectField
        label={t('users.role')}
        value={role}
        choices={[
          { value: 'user', label: t('users.role_user') },
          { value: 'admin', label: t('users.role_admin') },
        ]}
        onChoose={setRole}
      />
    </FormDialog>
  );
}
