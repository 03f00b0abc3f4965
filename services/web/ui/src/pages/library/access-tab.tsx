import { useQuery } from '@tanstack/react-query';
import { Globe2, UsersRound, X } from 'lucide-react';
import { useMemo, useState } from 'react';
import * as api from '../../api/endpoints';
import type { Grant, Role } from '../../api/types';
import { useT } from '../../i18n/use';
import { Avatar, Button, ErrorNotice, ErrorState, IconButton, Loading, TextField } from '../../kit/controls';
import { toastDone } from '../../kit/toast';
import { keys, refresh, useMe } from '../../state/queries';
import { principalsOf, type PrincipalInfo } from './principals';

const ROLES: readonly Role[] = ['viewer', 'editor', 'owner'];

/** Names for principals, where the asker may see them: the list of users is for administrators. */
function useDirectory() {
  const me = useMe();
  const admin = me.data?.role === 'admin';
  const users = useQuery({ queryKey: keys.users, queryFn: api.listUsers, enabled: admin });
  const groups = useQuery({ queryKey: keys.groups, queryFn: api.listGroups, enabled: admin });
  return useMemo(() => {
    const known = users.data ?? (me.data ? [me.data] : []);
    return { browsable: admin, principals: principalsOf(known, groups.data ?? []) };
  }, [admin, me.data, users.data, groups.data]);
}

export function AccessTab({ baseId }: { baseId: string }) {
  const t = useT();
  const grants = useQuery({ queryKey: keys.grants(baseId), queryFn: () => api.getGrants(baseId) });
  if (grants.error) return <ErrorState error={grants.error} onRetry={() => void grants.refetch()} />;
  if (!grants.data) return <Loading />;
  return (
    <section className="access">
      <h2>{t('access.title')}</h2>
      <p>{t('access.lead')}</p>
      <GrantsEditor baseId={baseId} grants={grants.data} />
      <dl className="roles">
        {ROLES.map((role) => (
          <div key={role}>
            <dt>{t(`role.${role}`)}</dt>
            <dd>{t(`role.${role}_text`)}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function GrantsEditor({ baseId, grants }: { baseId: string; grants: Grant[] }) {
  const t = useT();
  const { principals, browsable } = useDirectory();
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);

  async function save(next: Grant[]) {
    setBusy(true);
    setError(null);
    try {
      await api.putGrants(baseId, next);
      toastDone('common.saved');
    } catch (cause) {
      setError(cause);
    }
    await Promise.all([refresh(keys.grants(baseId)), refresh(keys.knowledgeBases)]);
    setBusy(false);
  }

  const owners = grants.filter((grant) => grant.role === 'owner').length;
  const add = (principal: string) => void save([...grants, { principal, role: 'viewer' }]);
  return (
    <>
      <ul className="card grants" aria-busy={busy}>
        {grants.map((grant) => (
          <GrantRow
            key={grant.principal}
            grant={grant}
            info={principals.get(grant.principal)}
            locked={busy || (grant.role === 'owner' && owners === 1)}
            onRole={(role) => void save(grants.map((item) => (item === grant ? { ...item, role } : item)))}
            onRemove={() => void save(grants.filter((item) => item !== grant))}
          />
        ))}
      </ul>
      {error !== null && <ErrorNotice error={error} />}
      {browsable ? (
        <PrincipalPicker principals={principals} taken={grants.map((grant) => grant.principal)} onAdd={add} />
      ) : (
        <PrincipalInput taken={grants.map((grant) => grant.principal)} onAdd={add} />
      )}
      {owners === 1 && <p className="field-hint">{t('access.last_owner')}</p>}
    </>
  );
}

function usePrincipalName() {
  const t = useT();
  return (principal: string, info: PrincipalInfo | undefined) =>
    principal === 'everyone' ? t('access.everyone') : (info?.name ?? t('access.unknown'));
}

function GrantRow({
  grant,
  info,
  locked,
  onRole,
  onRemove,
}: {
  grant: Grant;
  info: PrincipalInfo | undefined;
  /** The last owner stays, and while one change is saved there is no other. */
  locked: boolean;
  onRole: (role: Role) => void;
  onRemove: () => void;
}) {
  const t = useT();
  const name = usePrincipalName()(grant.principal, info);
  const group = grant.principal.startsWith('group:');
  const everyone = grant.principal === 'everyone';
  const note = everyone
    ? t('access.everyone_text')
    : group
      ? t('access.group')
      : (info?.note ?? grant.principal);
  return (
    <li>
      <div className="person">
        <Avatar
          name={name}
          icon={everyone ? <Globe2 size={17} /> : group ? <UsersRound size={17} /> : undefined}
        />
        <span>
          {name}
          <small>{note}</small>
        </span>
      </div>
      <select
        className="input select select-small"
        value={grant.role}
        disabled={locked}
        aria-label={t('access.role_of', { name })}
        onChange={(event) => onRole(event.target.value as Role)}
      >
        {ROLES.map((role) => (
          <option key={role} value={role}>
            {t(`role.${role}`)}
          </option>
        ))}
      </select>
      <IconButton small label={t('access.remove', { name })} disabled={locked} onClick={onRemove}>
        <X size={16} />
      </IconButton>
    </li>
  );
}

function PrincipalPicker({
  principals,
  taken,
  onAdd,
}: {
  principals: ReadonlyMap<string, PrincipalInfo>;
  taken: readonly string[];
  onAdd: (principal: string) => void;
}) {
  const t = useT();
  const free = [...principals].filter(([principal]) => !taken.includes(principal));
  const kind = (prefix: string) => free.filter(([principal]) => principal.startsWith(prefix));
  return (
    <select
      className="input select grant-add"
      value=""
      aria-label={t('access.add')}
      onChange={(event) => onAdd(event.target.value)}
    >
      <option value="" disabled>
        {t('access.add_placeholder')}
      </option>
      {!taken.includes('everyone') && <option value="everyone">{t('access.everyone')}</option>}
      <optgroup label={t('nav.groups')}>
        {kind('group:').map(([principal, info]) => (
          <option key={principal} value={principal}>
            {info.name}
          </option>
        ))}
      </optgroup>
      <optgroup label={t('nav.users')}>
        {kind('user:').map(([principal, info]) => (
          <option key={principal} value={principal}>
            {info.name} ({info.note})
          </option>
        ))}
      </optgroup>
    </select>
  );
}

function PrincipalInput({ taken, onAdd }: { taken: readonly string[]; onAdd: (principal: string) => void }) {
  const t = useT();
  const [typed, setTyped] = useState('');
  return (
    <form
      className="form grant-form"
      onSubmit={(event) => {
        event.preventDefault();
        onAdd(typed.trim());
        setTyped('');
      }}
    >
      <TextField
        label={t('access.principal')}
        hint={t('access.directory_unavailable')}
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
      />
      <div className="page-actions">
        <Button type="submit" disabled={!/^(user|group):\S+$|^everyone$/.test(typed.trim())}>
          {t('common.add')}
        </Button>
        {!taken.includes('everyone') && (
          <Button onClick={() => onAdd('everyone')}>
            {t('common.add')}: {t('access.everyone')}
          </Button>
        )}
      </div>
    </form>
  );
}
