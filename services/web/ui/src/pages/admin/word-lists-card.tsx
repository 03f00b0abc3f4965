import { Download, Plus, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { useT } from '../../i18n/use';
import { Button, IconButton, SelectField, TextField } from '../../kit/controls';
import { FileButton, saveText } from '../../kit/file-button';
import { toastDone } from '../../kit/toast';
import {
  ACTIONS,
  DIRECTIONS,
  draftOfList,
  listOf,
  MAX_CATEGORY_CHARS,
  MAX_LISTS,
  type Field,
  type ListDraft,
} from './search-rules';
import { csvOfLists, listsOfCsv } from './word-files';
import { readWords, WordsField } from './words-field';

type ErrorAt = (field: Field) => string | undefined;

/** Lists of words with what happens where one stands, in a query or in a result. */
export function WordListsCard({
  lists,
  errorAt,
  onChange,
}: {
  lists: readonly ListDraft[];
  errorAt: ErrorAt;
  onChange: (lists: readonly ListDraft[]) => void;
}) {
  const t = useT();
  const [notice, setNotice] = useState<string | null>(null);
  const nextKey = 1 + Math.max(0, ...lists.map((list) => list.key));
  const change = (key: number, part: Partial<ListDraft>) =>
    onChange(lists.map((list) => (list.key === key ? { ...list, ...part } : list)));

  const add = () =>
    onChange([
      ...lists,
      { key: nextKey, category: '', direction: 'both', action: 'drop', pinyin: false, words: '' },
    ]);

  const load = (file: File) =>
    void readWords(file, (text) => {
      const found = listsOfCsv(text);
      setNotice(null);
      if (!found) return setNotice(t('rules.no_columns'));
      onChange([...lists, ...found.lists.map((list, index) => draftOfList(list, nextKey + index))]);
      if (found.skipped > 0) setNotice(t('rules.rows_skipped', { n: found.skipped }));
      toastDone('rules.lists_imported', { n: found.lists.length });
    });

  const general = errorAt('lists');
  return (
    <section className="card rule-card">
      <h2>{t('rules.lists')}</h2>
      <p>{t('rules.lists_lead')}</p>
      <ul className="labels">
        {lists.map((list, index) => (
          <WordListItem
            key={list.key}
            list={list}
            index={index}
            errorAt={errorAt}
            onChange={(part) => change(list.key, part)}
            onRemove={() => onChange(lists.filter((other) => other.key !== list.key))}
          />
        ))}
      </ul>
      {general && (
        <p className="field-error" role="alert">
          {general}
        </p>
      )}
      <div className="words-actions">
        <Button disabled={lists.length >= MAX_LISTS} onClick={add}>
          <Plus size={16} aria-hidden="true" /> {t('rules.add_list')}
        </Button>
        <FileButton label={t('rules.import_lists')} accept=".csv,text/csv" onFile={load} />
        <Button
          disabled={lists.length === 0}
          onClick={() => saveText('word-lists.csv', 'text/csv', csvOfLists(lists.map(listOf)))}
        >
          <Download size={15} aria-hidden="true" /> {t('rules.export_lists')}
        </Button>
      </div>
      <p className="words-note" role="status">
        {notice ?? t('rules.csv_hint')}
      </p>
    </section>
  );
}

function WordListItem({
  list,
  index,
  errorAt,
  onChange,
  onRemove,
}: {
  list: ListDraft;
  index: number;
  errorAt: ErrorAt;
  onChange: (part: Partial<ListDraft>) => void;
  onRemove: () => void;
}) {
  const t = useT();
  // Nobody reads a query with a flag on it.
  const idle = list.action === 'flag' && list.direction === 'outgoing';
  const name = list.category.trim() || t('rules.list_number', { n: index + 1 });
  return (
    <li>
      <div className="label-head">
        <TextField
          label={t('rules.category')}
          value={list.category}
          maxLength={MAX_CATEGORY_CHARS}
          error={errorAt(`category:${index}`)}
          onChange={(event) => onChange({ category: event.target.value })}
        />
        <IconButton label={t('rules.remove_list', { name })} onClick={onRemove}>
          <Trash2 size={17} />
        </IconButton>
      </div>
      <div className="list-choices">
        <SelectField
          label={t('rules.direction')}
          value={list.direction}
          choices={DIRECTIONS.map((value) => ({ value, label: t(`rules.direction_${value}`) }))}
          onChoose={(direction) => onChange({ direction })}
        />
        <SelectField
          label={t('rules.action')}
          value={list.action}
          choices={ACTIONS.map((value) => ({ value, label: t(`rules.action_${value}`) }))}
          onChoose={(action) => onChange({ action })}
        />
      </div>
      {idle && <p className="words-note notice notice-warn">{t('rules.idle_list')}</p>}
      <label className="check">
        <input
          type="checkbox"
          checked={list.pinyin}
          onChange={(event) => onChange({ pinyin: event.target.checked })}
        />
        <span>{t('rules.pinyin')}</span>
      </label>
      <WordsField
        label={t('rules.words')}
        fileName={list.category.trim() || 'words'}
        value={list.words}
        error={errorAt(`words:${index}`)}
        onChange={(words) => onChange({ words })}
      />
    </li>
  );
}
