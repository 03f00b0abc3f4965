import { useState, type FormEvent, type ReactNode } from 'react';
import * as api from '../../api/endpoints';
import type { SetupState } from '../../api/types';
import { usePreferences, useT } from '../../i18n/use';
import { Button, ErrorNotice, PasswordField, Segmented, TextField } from '../../kit/controls';
import { Logo } from '../../kit/logo';
import { preferences } from '../../state/preferences';
import { changePerson } from '../../state/person';
import './auth.css';

/** What comes before the app: the first administrator, or signing in. */
export function AuthPage({ setup }: { setup: SetupState }) {
  const t = useT();
  const { language } = usePreferences();
  return (
    <div className="auth">
      <aside className="auth-side" aria-hidden="true">
        <Roofs />
        <p>{t('app.tagline')}</p>
      </aside>
      <main className="auth-main">
        <div className="auth-top">
          <span className="auth-brand">
            <Logo size={30} /> {t('app.name')}
          </span>
          <Segmented
            label={t('language.title')}
            value={language}
            choices={[
              { value: 'zh', label: '中文' },
              { value: 'en', label: 'English' },
            ]}
            onChoose={(value) => preferences.set({ language: value })}
          />
        </div>
        <div className="auth-form">{setup.needed ? <SetupForm setup={setup} /> : <LoginForm />}</div>
      </main>
    </div>
  );
}

function AuthForm({
  title,
  lead,
  submitLabel,
  onSubmit,
  children,
}: {
  title: string;
  lead: string;
  submitLabel: string;
  onSubmit: () => Promise<void>;
  children: ReactNode;
}) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);

  async function submit(event: FormEvent) {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      await onSubmit();
      changePerson(await api.me());
    } catch (cause) {
      setError(cause);
      setBusy(false);
    }
  }

  return (
    <form className="form" onSubmit={(event) => void submit(event)}>
      <header>
        <h1>{title}</h1>
        <p>{lead}</p>
      </header>
      {children}
      {error !== null && <ErrorNotice error={error} />}
      <Button type="submit" kind="primary" size="large" busy={busy}>
        {submitLabel}
      </Button>
    </form>
  );
}

function LoginForm() {
  const t = useT();
  const [username, setUsername] = useState('');
  const [password, setPassword] = useState('');
  return (
    <AuthForm
      title={t('login.title')}
      lead={t('login.lead')}
      submitLabel={t('login.submit')}
      onSubmit={async () => {
        await api.logIn({ username, password });
      }}
    >
      <TextField
        label={t('login.username')}
        name="username"
        autoComplete="username"
        autoCapitalize="none"
        spellCheck={false}
        autoFocus
        required
        value={username}
        onChange={(event) => setUsername(event.target.value)}
      />
      <PasswordField
        label={t('login.password')}
        name="password"
        autoComplete="current-password"
        required
        value={password}
        onChange={(event) => setPassword(event.target.value)}
      />
    </AuthForm>
  );
}

function SetupForm({ setup }: { setup: SetupState }) {
  const t = useT();
  const [displayName, setDisplayName] = useState('');
  const [username, setUsername] = useState('');
  const [password, setPassword] = useState('');
  const [token, setToken] = useState('');
  return (
    <AuthForm
      title={t('setup.title')}
      lead={t('setup.lead')}
      submitLabel={t('setup.submit')}
      onSubmit={async () => {
        const account = { username, password, display_name: displayName };
        await api.setUp(setup.token_required ? { ...account, setup_token: token } : account);
        // Setting up may or may not have signed in; signing in again does no harm.
        await api.logIn({ username, password });
      }}
    >
      <TextField
        label={t('setup.display_name')}
        name="display_name"
        autoComplete="name"
        autoFocus
        required
        value={displayName}
        onChange={(event) => setDisplayName(event.target.value)}
      />
      <TextField
        label={t('setup.username')}
        name="username"
        autoComplete="username"
        autoCapitalize="none"
        spellCheck={false}
        required
        value={username}
        onChange={(event) => setUsername(event.target.value)}
      />
      <PasswordField
        label={t('setup.password')}
        hint={t('setup.password_hint')}
        name="password"
        autoComplete="new-password"
        required
        value={password}
        onChange={(event) => setPassword(event.target.value)}
      />
      {setup.token_required && (
        <TextField
          label={t('setup.token')}
          hint={t('setup.token_hint')}
          name="setup_token"
          autoComplete="off"
          required
          value={token}
          onChange={(event) => setToken(event.target.value)}
        />
      )}
    </AuthForm>
  );
}

/** Roof lines, one behind the other, and under the nearest a question. */
function Roofs() {
  return (
    <svg viewBox="0 0 400 520" preserveAspectRatio="xMidYMax slice" className="auth-roofs">
      {[0, 1, 2, 3, 4].map((row) => (
        <path
          key={row}
          d={`M-60 ${470 - row * 62} L${200 + (row % 2) * 36 - 18} ${300 - row * 62} L460 ${470 - row * 62}`}
          opacity={1 - row * 0.19}
        />
      ))}
      <path d="M174 420a26 26 0 1 1 38 23c-9 4-12 9-12 18" />
      <circle cx="200" cy="488" r="7" className="auth-dot" />
    </svg>
  );
}
