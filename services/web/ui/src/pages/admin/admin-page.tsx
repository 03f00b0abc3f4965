import { lazy } from 'react';
import { Link } from 'wouter';
import type { User } from '../../api/types';
import type { MessageKey } from '../../i18n/translate';
import { useT } from '../../i18n/use';
import { MissingPage } from '../missing-page';
import { GroupsTab } from './groups-tab';
import { UsersTab } from './users-tab';
import './admin.css';

const AuditTab = lazy(() => import('./audit-tab'));
const ModelsTab = lazy(() => import('./models-tab'));
const SettingsTab = lazy(() => import('./settings-tab'));
const SearchTab = lazy(() => import('./search-tab'));
const UsageTab = lazy(() => import('./usage-tab'));

const TABS: Record<string, MessageKey> = {
  users: 'nav.users',
  groups: 'nav.groups',
  usage: 'nav.usage',
  audit: 'nav.audit',
  models: 'nav.models',
  search: 'nav.web_search',
  settings: 'nav.settings',
};

export default function AdminPage({ me, tab }: { me: User; tab: string }) {
  const t = useT();
  if (!Object.hasOwn(TABS, tab)) return <MissingPage />;
  return (
    <div className="page">
      <header className="page-head">
        <h1>{t('nav.admin')}</h1>
      </header>
      <nav className="tabs" aria-label={t('nav.admin')}>
        {Object.entries(TABS).map(([name, label]) => (
          <Link key={name} href={`/admin/${name}`} aria-current={name === tab ? 'page' : undefined}>
            {t(label)}
          </Link>
        ))}
      </nav>
      {tab === 'users' && <UsersTab me={me} />}
      {tab === 'groups' && <GroupsTab />}
      {tab === 'usage' && <UsageTab />}
      {tab === 'audit' && <AuditTab />}
      {tab === 'models' && <ModelsTab />}
      {tab === 'search' && <SearchTab />}
      {tab === 'settings' && <SettingsTab />}
    </div>
  );
}
