import {
  BookOpen,
  LogOut,
  Menu as MenuIcon,
  MessageSquarePlus,
  Search,
  Settings2,
  SlidersHorizontal,
  X,
} from 'lucide-react';
import { Dialog } from 'radix-ui';
import { useEffect, useState, type ReactNode } from 'react';
import { Link, useLocation } from 'wouter';
import * as api from '../api/endpoints';
import type { User } from '../api/types';
import { useT } from '../i18n/use';
import { Avatar } from '../kit/controls';
import { Logo } from '../kit/logo';
import { Menu } from '../kit/menu';
import { toastError } from '../kit/toast';
import { changePerson } from '../state/person';
import { ChatList } from './chat-list';
import './shell.css';

/** The frame around every page: a sidebar on wide screens, a top bar with a drawer on narrow ones. */
export function Shell({ me, children }: { me: User; children: ReactNode }) {
  const t = useT();
  const [location] = useLocation();
  const [drawer, setDrawer] = useState(false);

  // Going somewhere closes the drawer.
  useEffect(() => setDrawer(false), [location]);

  return (
    <div className="shell">
      <a href="#main" className="skip-link">
        {t('app.skip')}
      </a>
      <header className="topbar">
        <Dialog.Root open={drawer} onOpenChange={setDrawer}>
          <Dialog.Trigger className="icon-button" aria-label={t('nav.open')}>
            <MenuIcon size={20} />
          </Dialog.Trigger>
          <Dialog.Portal>
            <Dialog.Overlay className="dialog-veil" />
            <Dialog.Content className="drawer" aria-describedby={undefined}>
              <Dialog.Title className="visually-hidden">{t('nav.main')}</Dialog.Title>
              <Sidebar me={me} />
              <Dialog.Close className="icon-button drawer-close" aria-label={t('nav.close')}>
                <X size={20} />
              </Dialog.Close>
            </Dialog.Content>
          </Dialog.Portal>
        </Dialog.Root>
        <Link href="/chat" className="brand">
          <Logo size={26} /> {t('app.name')}
        </Link>
        <Link href="/chat" className="icon-button" aria-label={t('chat.new')}>
          <MessageSquarePlus size={20} />
        </Link>
      </header>
      <aside className="sidebar">
        <Sidebar me={me} />
      </aside>
      <main id="main" className="main" tabIndex={-1}>
        {children}
      </main>
    </div>
  );
}

function Sidebar({ me }: { me: User }) {
  const t = useT();
  return (
    <>
      <Link href="/chat" className="brand">
        <Logo /> {t('app.name')}
      </Link>
      <nav className="nav" aria-label={t('nav.main')}>
        <NavLink href="/chat" exact icon={<MessageSquarePlus size={18} />} label={t('chat.new')} />
        <NavLink href="/library" also="/documents" icon={<BookOpen size={18} />} label={t('nav.library')} />
        <NavLink href="/search" icon={<Search size={18} />} label={t('nav.search')} />
        {me.role === 'admin' && (
          <NavLink
            href="/admin/users"
            root="/admin"
            icon={<SlidersHorizontal size={18} />}
            label={t('nav.admin')}
          />
        )}
      </nav>
      <ChatList />
      <AccountMenu me={me} />
    </>
  );
}

function NavLink({
  href,
  root = href,
  also,
  exact = false,
  icon,
  label,
}: {
  href: string;
  /** What this place's addresses begin with. */
  root?: string;
  /** Another root that belongs to the same place. */
  also?: string;
  exact?: boolean;
  icon: ReactNode;
  label: string;
}) {
  const [location] = useLocation();
  const within = (place: string) => location === place || location.startsWith(`${place}/`);
  const current = exact ? location === href : within(root) || (also !== undefined && within(also));
  return (
    <Link href={href} className="nav-link" aria-current={current ? 'page' : undefined}>
      {icon}
      {label}
    </Link>
  );
}

function AccountMenu({ me }: { me: User }) {
  const t = useT();
  const [, navigate] = useLocation();
  const name = me.display_name || me.username;

  async function signOut() {
    try {
      await api.logOut();
      changePerson(null);
      navigate('/');
    } catch (cause) {
      toastError(cause);
    }
  }

  return (
    <Menu
      align="start"
      trigger={
        <button type="button" className="account" aria-label={`${t('nav.account')}: ${name}`}>
          <Avatar name={name} />
          <span className="account-name">
            {name}
            <small>{me.role === 'admin' ? t('users.role_admin') : me.username}</small>
          </span>
        </button>
      }
      entries={[
        {
          key: 'profile',
          label: t('nav.profile'),
          icon: <Settings2 size={16} />,
          onSelect: () => navigate('/profile'),
        },
        { key: 'out', label: t('nav.sign_out'), icon: <LogOut size={16} />, onSelect: () => void signOut() },
      ]}
    />
  );
}
