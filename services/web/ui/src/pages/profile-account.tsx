import { useState } from 'react';
import * as api from '../api/endpoints';
import { useT } from '../i18n/use';
import { Avatar, Button, PasswordField, TextField } from '../kit/controls';
import { FormDialog } from '../kit/dialog';
import { toastDone } from '../kit/toast';
import { keys, refresh, useMe } from '../state/queries';

/** Who is signed in, and changing the name and the password. */
export function Account() {
  const t = useT();
  const me = useMe();
  const [open, setOpen] = useState<'name' | 'password' | null>(null);
  if (!me.data) return null;
  const close = () => setOpen(null);
  const name = me.data.display_name || me.data.username;
  return (
    <section className="settings">
      <h2>{t('nav.account')}</h2>
      <div className="card setting">
        <div className="person">
          <Avatar name={name} />
          <span>
            {name}
            <small>{me.data.username}</small>
          </span>
        </div>
        <div className="page-actions">
          <Button onClick={() => setOpen('name')}>{t('profile.change_name')}</Button>
          <Button onClick={() => setOpen('password')}>{t('profile.change_password')}</Button>
        </div>
      </div>
      {open === 'name' && <NameDialog name={me.data.display_name} onClose={close} />}
      {open === 'password' && <PasswordDialog onClose={close} />}
    </section>
  );
}

function NameDialog({ name, onClose }: { name: string; onClose: () => void }) {
  const t = useT();
  const [typed, setTyped] = useState(name);
  return (
    <FormDialog
      title={t('profile.change_name')}
      submitLabel={t('common.save')}
      disabled={typed.trim() === ''}
      onSubmit={() => api.updateProfile({ display_name: typed.trim() }).then(() => refresh(keys.me))}
      onClose={onClose}
    >
      <TextField
        label={t('users.display_name')}
        autoComplete="name"
        autoFocus
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
      />
    </FormDialog>
  );
}

function PasswordDialog({ onClose }: { onClose: () => void }) {
  const t = useT();
  const [current, setCurrent] = useState('');
  const [next, setNext] = useState('');
  return (
    <FormDialog
      title={t('profile.change_password')}
      submitLabel={t('common.save')}
      onSubmit={() =>
        api
          .updateProfile({ current_password: current, new_password: next })
          .then(() => toastDone('common.saved'))
      }
      onClose={onClose}
    >
      <PasswordField
        label={t('profile.current_password')}
        autoComplete="current-password"
        required
        autoFocus
        value={current}
        onChange={(event) => setCurrent(event.target.value)}
      />
      <PasswordField
        label={t('users.new_password')}
        hint={t('setup.password_hint')}
        autoComplete="new-password"
        required
        value={next}
        onChange={(event) => setNext(event.target.value)}
      />
    </FormDialog>
  );
}
