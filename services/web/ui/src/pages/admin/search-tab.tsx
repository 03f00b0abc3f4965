import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import * as api from '../../api/endpoints';
import { ApiError } from '../../api/errors';
import type { Answering } from '../../api/types';
import { useT } from '../../i18n/use';
import { ErrorNotice, ErrorState, Loading } from '../../kit/controls';
import { toastDone, toastError } from '../../kit/toast';
import { keys, queryClient, refresh } from '../../state/queries';
import { SearchEnginesCard } from './search-engines-card';
import { SearchRulesForm } from './search-rules-form';
import '../library/rules.css';
import './search.css';

/** Whether the web is searched, how its engines do, and what may leave and come in. */
export default function SearchTab() {
  const settings = useQuery({ queryKey: keys.answering, queryFn: api.getAnswering });
  if (settings.error) return <ErrorState error={settings.error} onRetry={() => void settings.refetch()} />;
  if (!settings.data) return <Loading />;
  return (
    <div className="rules web-search">
      <Switch saved={settings.data} />
      <SearchEnginesCard />
      <Rules />
    </div>
  );
}

function Switch({ saved }: { saved: Answering }) {
  const t = useT();
  const [busy, setBusy] = useState(false);

  async function change(web_search: boolean) {
    setBusy(true);
    try {
      // The section is written as a whole: what else is in it may have been changed in the meantime.
      const now = await api.getAnswering();
      queryClient.setQueryData(keys.answering, await api.putAnswering({ ...now, web_search }));
      void refresh(keys.webSearch);
      toastDone('common.saved');
    } catch (cause) {
      toastError(cause);
    }
    setBusy(false);
  }

  return (
    <section className="card rule-card">
      <h2>{t('nav.web_search')}</h2>
      <label className="check">
        <input
          type="checkbox"
          checked={saved.web_search}
          disabled={busy}
          onChange={(event) => void change(event.target.checked)}
        />
        <span>
          {t('settings.web_search')}
          <small className="field-hint">{t('settings.web_search_hint')}</small>
        </span>
      </label>
    </section>
  );
}

function Rules() {
  const t = useT();
  const rules = useQuery({ queryKey: keys.searchRules, queryFn: api.getSearchRules });
  // Without engines there is nobody to keep rules; the card of the engines says what to do.
  if (rules.error && ApiError.of(rules.error).code === 'web_search_disabled') return null;
  if (rules.error) return <ErrorNotice error={rules.error} />;
  if (!rules.data) return <Loading />;
  return (
    <section aria-label={t('rules.title')}>
      <SearchRulesForm saved={rules.data} />
    </section>
  );
}
