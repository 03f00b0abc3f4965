import { useQuery } from '@tanstack/react-query';
import { useDeferredValue, useMemo, useRef, useState, type FormEvent, type RefObject } from 'react';
import * as api from '../../api/endpoints';
import { ApiError } from '../../api/errors';
import type { SearchRules } from '../../api/types';
import { useT } from '../../i18n/use';
import { Button, ErrorNotice, Segmented } from '../../kit/controls';
import { toastDone } from '../../kit/toast';
import { keys, queryClient, refresh } from '../../state/queries';
import {
  changesOf,
  draftOf,
  problemsOf,
  refusedField,
  rulesOf,
  SAFE_SEARCH_LEVELS,
  type Change,
  type Field,
  type Problem,
  type RulesDraft,
} from './search-rules';
import { WordListsCard } from './word-lists-card';
import { WordsField } from './words-field';

/** What may leave and come in with web search. It is saved as a whole. */
export function SearchRulesForm({ saved }: { saved: SearchRules }) {
  const t = useT();
  const form = useRef<HTMLFormElement>(null);
  const [draft, setDraft] = useState(() => draftOf(saved));
  const [attempted, setAttempted] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const [refused, setRefused] = useState<Problem | null>(null);
  // Long lists take a moment to compare: typing goes before.
  const settled = useDeferredValue(draft);
  const rules = useMemo(() => rulesOf(settled), [settled]);
  const changes = useMemo(() => changesOf(saved, rules), [saved, rules]);
  // What is only missing yet is no mistake before somebody wants to save.
  const problems = useMemo(
    () => problemsOf(rules).filter((problem) => attempted || problem.key !== 'rules.category_needed'),
    [rules, attempted],
  );

  const change = (part: Partial<RulesDraft>) => {
    // A file is read while the form goes on being edited.
    setDraft((now) => ({ ...now, ...part }));
    setRefused(null);
  };
  const errorAt = (field: Field): string | undefined => {
    const problem = [...problems, ...(refused ? [refused] : [])].find((item) => item.field === field);
    return problem?.key ? t(problem.key, problem.values) : problem?.message;
  };

  async function save(event: FormEvent) {
    event.preventDefault();
    const body = rulesOf(draft);
    setAttempted(true);
    setError(null);
    if (problemsOf(body).length > 0) return focusFirstError(form);
    setBusy(true);
    try {
      queryClient.setQueryData(keys.searchRules, await api.putSearchRules(body));
      void refresh(keys.webSearch);
      setAttempted(false);
      toastDone('common.saved');
    } catch (cause) {
      const problem = refusedField(cause, body);
      setRefused(problem);
      setError(problem ? null : cause);
      if (problem) focusFirstError(form);
    }
    setBusy(false);
  }

  return (
    <form ref={form} className="rules" noValidate onSubmit={(event) => void save(event)}>
      <OutgoingCard draft={draft} errorAt={errorAt} onChange={change} />
      <WordListsCard lists={draft.lists} errorAt={errorAt} onChange={(lists) => change({ lists })} />
      <SitesCard draft={draft} errorAt={errorAt} onChange={change} />
      {error !== null && (
        <ErrorNotice error={error}>
          {/* The server says which setting stands in the way. */}
          {ApiError.of(error).code === 'conflict' && <div>{ApiError.of(error).message}</div>}
        </ErrorNotice>
      )}
      <SaveBar
        changes={changes}
        invalid={problems.length > 0}
        busy={busy}
        onReset={() => change(draftOf(saved))}
      />
    </form>
  );
}

/** Takes the reader to the first field that is marked, once the marks are there. */
function focusFirstError(form: RefObject<HTMLFormElement | null>) {
  requestAnimationFrame(() => form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus());
}

interface CardProps {
  draft: RulesDraft;
  errorAt: (field: Field) => string | undefined;
  onChange: (part: Partial<RulesDraft>) => void;
}

/** Who may search, and what of a question leaves. */
function OutgoingCard({ draft, errorAt, onChange }: CardProps) {
  const t = useT();
  return (
    <section className="card rule-card">
      <h2>{t('rules.outgoing')}</h2>
      <p>{t('rules.outgoing_lead')}</p>
      <Groups chosen={draft.allowedGroups} onChange={(allowedGroups) => onChange({ allowedGroups })} />
      <label className="check">
        <input
          type="checkbox"
          checked={draft.confirms}
          onChange={(event) => onChange({ confirms: event.target.checked })}
        />
        <span>
          {t('rules.confirm')}
          <small className="field-hint">{t('rules.confirm_hint')}</small>
        </span>
      </label>
      <label className="check">
        <input
          type="checkbox"
          checked={draft.sendsWhole}
          onChange={(event) => onChange({ sendsWhole: event.target.checked })}
        />
        <span>
          {t('rules.whole')}
          <small className="field-hint">{t('rules.whole_hint')}</small>
        </span>
      </label>
      <WordsField
        label={t('rules.organisation')}
        hint={t('rules.organisation_hint')}
        fileName="organisation-words"
        value={draft.organisationWords}
        error={errorAt('organisation_words')}
        onChange={(organisationWords) => onChange({ organisationWords })}
      />
    </section>
  );
}

function Groups({
  chosen,
  onChange,
}: {
  chosen: readonly string[];
  onChange: (chosen: readonly string[]) => void;
}) {
  const t = useT();
  const groups = useQuery({ queryKey: keys.groups, queryFn: api.listGroups });
  const known = groups.data ?? [];
  // A group that was deleted still keeps everybody else out: it is shown so that it can be taken off.
  const gone = groups.data ? chosen.filter((id) => !known.some((group) => group.id === id)) : [];
  const choices = [...known, ...gone.map((id) => ({ id, name: t('rules.deleted_group') }))];
  const toggle = (id: string, on: boolean) =>
    onChange(on ? [...chosen, id] : chosen.filter((other) => other !== id));
  return (
    <fieldset className="kinds">
      <legend>{t('rules.groups')}</legend>
      {choices.map((group) => (
        <label key={group.id}>
          <input
            type="checkbox"
            checked={chosen.includes(group.id)}
            onChange={(event) => toggle(group.id, event.target.checked)}
          />
          {group.name}
        </label>
      ))}
      <span className="field-hint groups-hint">
        {chosen.length === 0 ? t('rules.groups_everyone') : t('rules.groups_only')}
      </span>
    </fieldset>
  );
}

/** Which sites results come from, and how strictly engines leave things out. */
function SitesCard({ draft, errorAt, onChange }: CardProps) {
  const t = useT();
  return (
    <section className="card rule-card">
      <h2>{t('rules.sites')}</h2>
      <p>{t('rules.sites_lead')}</p>
      <div className="site-lists">
        <WordsField
          label={t('rules.allow')}
          hint={t('rules.allow_hint')}
          fileName="allowed-sites"
          value={draft.allow}
          error={errorAt('allow')}
          onChange={(allow) => onChange({ allow })}
        />
        <WordsField
          label={t('rules.block')}
          hint={t('rules.block_hint')}
          fileName="blocked-sites"
          value={draft.block}
          error={errorAt('block')}
          onChange={(block) => onChange({ block })}
        />
      </div>
      <WordsField
        label={t('rules.prefer')}
        hint={t('rules.prefer_hint')}
        fileName="preferred-sites"
        rows={3}
        value={draft.prefer}
        error={errorAt('prefer')}
        onChange={(prefer) => onChange({ prefer })}
      />
      <div className="field safe-search">
        <span className="field-label">{t('rules.safe')}</span>
        <Segmented
          label={t('rules.safe')}
          value={draft.safeSearch}
          choices={SAFE_SEARCH_LEVELS.map((value) => ({ value, label: t(`rules.safe_${value}`) }))}
          onChoose={(safeSearch) => onChange({ safeSearch })}
        />
        <span className="field-hint">{t('rules.safe_hint')}</span>
      </div>
    </section>
  );
}

function SaveBar({
  changes,
  invalid,
  busy,
  onReset,
}: {
  changes: readonly Change[];
  invalid: boolean;
  busy: boolean;
  onReset: () => void;
}) {
  const t = useT();
  const nothing = changes.length === 0;
  return (
    <div className="card save-bar" data-changed={nothing ? undefined : true}>
      <div role="status">
        {invalid && <p className="field-error">{t('rules.invalid')}</p>}
        {nothing ? (
          <p>{t('rules.unchanged')}</p>
        ) : (
          <ul aria-label={t('rules.changes')}>
            {changes.map((change) => (
              <li key={`${change.label} ${change.name ?? ''}`}>
                <ChangeText change={change} />
              </li>
            ))}
          </ul>
        )}
      </div>
      <div className="form-actions">
        <Button disabled={nothing || busy} onClick={onReset}>
          {t('rules.reset')}
        </Button>
        <Button type="submit" kind="primary" busy={busy} disabled={nothing}>
          {t('common.save')}
        </Button>
      </div>
    </div>
  );
}

function ChangeText({ change: { label, name, added = 0, removed = 0 } }: { change: Change }) {
  const t = useT();
  return (
    <>
      {t(label, { name: name ?? '' })}
      {added > 0 && <ins>{t('rules.added', { n: added })}</ins>}
      {removed > 0 && <del>{t('rules.removed', { n: removed })}</del>}
    </>
  );
}
