import { useQuery } from '@tanstack/react-query';
import { Copy, KeyRound, Plus, Trash2 } from 'lucide-react';
import { useState } from 'react';
import * as api from '../api/endpoints';
import type { ApiKey, KeyScope } from '../api/types';
import { useFormat, usePreferences, useT } from '../i18n/use';
import { Button, ErrorState, IconButton, Loading, Segmented, SelectField, TextField } from '../kit/controls';
import { ConfirmDialog, Dialog, FormDialog } from '../kit/dialog';
import { toastDone, toastError } from '../kit/toast';
import { preferences } from '../state/preferences';
import { keys, refresh, useMe } from '../state/queries';
import { Account } from './profile-account';
import './profile.css';

export default function ProfilePage() {
  const t = useT();
  return (
    <div className="page page-narrow">
      <header className="page-head">
        <h1>{t('profile.title')}</h1>
      </header>
      <Account />
      <Appearance />
      <ApiKeys />
    </div>
  );
}

function Appearance() {
  const t = useT();
  const { language, theme } = usePreferences();
  return (
    <section className="settings">
      <h2>{t('profile.appearance')}</h2>
      <div className="card setting">
        <span>{t('language.title')}</span>
        <Segmented
          label={t('language.title')}
          value={language}
          choices={[
            { value: 'zh', label: t('language.zh') },
            { value: 'en', label: t('language.en') },
          ]}
          onChoose={(value) => preferences.set({ language: value })}
        />
      </div>
      <div className="card setting">
        <span>{t('theme.title')}</span>
        <Segmented
          label={t('theme.title')}
          value={theme}
          choices={[
            { value: 'system', label: t('theme.system') },
            { value: 'light', label: t('theme.light') },
            { value: 'dark', label: t('theme.dark') },
          ]}
          onChoose={(value) => preferences.set({ theme: value })}
        />
      </div>
    </section>
  );
}

type Open = { kind: 'new' } | { kind: 'shown'; secret: string } | { kind: 'delete'; apiKey: ApiKey } | null;

function ApiKeys() {
  const t = useT();
  const apiKeys = useQuery({ queryKey: keys.apiKeys, queryFn: api.listApiKeys });
  const [open, setOpen] = useState<Open>(null);
  const close = () => setOpen(null);
  return (
    <section className="settings">
      <header>
        <div>
          <h2>{t('profile.keys')}</h2>
          <p>{t('profile.keys_lead')}</p>
        </div>
        <Button onClick={() => setOpen({ kind: 'new' })}>
          <Plus size={17} aria-hidden="true" /> {t('profile.key_new')}
        </Button>
      </header>
      {apiKeys.isLoading && <Loading />}
      {apiKeys.error && <ErrorState error={apiKeys.error} onRetry={() => void apiKeys.refetch()} />}
      {apiKeys.data?.length === 0 && <p className="card setting setting-empty">{t('profile.keys_empty')}</p>}
      <ul>
        {apiKeys.data?.map((apiKey) => (
          <ApiKeyRow key={apiKey.id} apiKey={apiKey} onDelete={() => setOpen({ kind: 'delete', apiKey })} />
        ))}
      </ul>
      {open?.kind === 'new' && (
        <NewKeyDialog onMade={(secret) => setOpen({ kind: 'shown', secret })} onClose={close} />
      )}
      {open?.kind === 'shown' && <SecretDialog secret={open.secret} onClose={close} />}
      {open?.kind === 'delete' && (
        <ConfirmDialog
          title={t('profile.key_delete_title')}
          text={t('profile.key_delete_text', { name: open.apiKey.name })}
          onConfirm={() => api.deleteApiKey(open.apiKey.id).then(() => refresh(keys.apiKeys))}
          onClose={close}
        />
      )}
    </section>
  );
}

function ApiKeyRow({ apiKey, onDelete }: { apiKey: ApiKey; onDelete: () => void }) {
  const t = useT();
  const { date } = useFormat();
  const expired = apiKey.expires_at != null && Date.parse(apiKey.expires_at) < Date.now();
  const facts = [
    apiKey.scopes.map((scope) => t(`profile.scope_${scope}`)).join(', '),
    t('profile.key_created', { date: date(apiKey.created_at) }),
    apiKey.expires_at
      ? t('profile.key_expires_at', { date: date(apiKey.expires_at) })
      : t('profile.key_never'),
    apiKey.last_used_at
      ? t('profile.key_used', { date: date(apiKey.last_used_at) })
      : t('profile.key_unused'),
  ];
  return (
    <li className="card setting">
      <div className="person">
        <KeyRound size={18} aria-hidden="true" />
        <span>
          {apiKey.name} <code>{apiKey.prefix}…</code>{' '}
          {expired && <span className="badge badge-danger">{t('profile.key_expired')}</span>}
          <small>{facts.join(' · ')}</small>
        </span>
      </div>
      <IconButton small label={`${t('common.delete')}: ${apiKey.name}`} onClick={onDelete}>
        <Trash2 size={16} />
      </IconButton>
    </li>
  );
}

const DAYS = ['30', '90', '365', 'never'] as const;
const DAY_MS = 86_400_000;

function NewKeyDialog({ onMade, onClose }: { onMade: (secret: string) => void; onClose: () => void }) {
  const t = useT();
  const me = useMe();
  const [name, setName] = useState('');
  const [scope, setScope] = useState<KeyScope>('read');
  const [days, setDays] = useState<(typeof DAYS)[number]>('90');
  // Each scope includes the ones before it.
  const scopes: KeyScope[] = me.data?.role === 'admin' ? ['read', 'write', 'admin'] : ['read', 'write'];

  async function create() {
    const expires_at = days === 'never' ? null : new Date(Date.now() + Number(days) * DAY_MS).toISOString();
    const granted = scopes.slice(0, scopes.indexOf(scope) + 1);
    const { secret } = await api.createApiKey({ name: name.trim(), scopes: granted, expires_at });
    await refresh(keys.apiKeys);
    return secret;
  }

  return (
    <FormDialog
      title={t('profile.key_new')}
      submitLabel={t('common.create')}
      disabled={name.trim() === ''}
      onSubmit={create}
      onDone={onMade}
      onClose={onClose}
    >
      <TextField
        label={t('profile.key_name')}
        placeholder={t('profile.key_name_placeholder')}
        value={name}
        required
        autoFocus
        onChange={(event) => setName(event.target.value)}
      />
      <SelectField
        label={t('profile.key_scope')}
        value={scope}
        choices={scopes.map((value) => ({ value, label: t(`profile.scope_${value}`) }))}
        onChoose={setScope}
      />
      <SelectField
        label={t('profile.key_expires')}
        value={days}
        choices={DAYS.map((value) => ({
          value,
          label: value === 'never' ? t('profile.key_never') : t('profile.key_days', { n: Number(value) }),
        }))}
        onChoose={setDays}
      />
    </FormDialog>
  );
}

function SecretDialog({ secret, onClose }: { secret: string; onClose: () => void }) {
  const t = useT();
  const copy = () => navigator.clipboard.writeText(secret).then(() => toastDone('common.copied'), toastError);
  return (
    <Dialog title={t('profile.key_shown')} onClose={onClose}>
      <div className="form">
        <p className="dialog-text">{t('profile.key_shown_text')}</p>
        <code className="secret">{secret}</code>
        <div className="form-actions">
          <Button onClick={onClose}>{t('common.close')}</Button>
          <Button kind="primary" onClick={() => void copy()}>
            <Copy size={16} aria-hidden="true" /> {t('common.copy')}
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
