import { Download, Eraser } from 'lucide-react';
import { useMemo } from 'react';
import { useFormat, useT } from '../../i18n/use';
import { Button, TextAreaField } from '../../kit/controls';
import { FileButton, saveText } from '../../kit/file-button';
import { toastDone, toastError } from '../../kit/toast';
import { linesOf } from './search-rules';
import { decodeText, withWords, wordsOfFile } from './word-files';

/** More lines than this make a text area slow: they are imported and exported, and not edited here. */
const MAX_EDITABLE_LINES = 5_000;
/** A file of rules that is larger would be refused by the server. */
const MAX_FILE_BYTES = 16 * 1024 * 1024;

/** The text of a chosen file, or a failure that is told. */
export async function readWords(file: File, onText: (text: string) => void): Promise<void> {
  try {
    if (file.size > MAX_FILE_BYTES) return toastDone('rules.file_too_large');
    onText(decodeText(new Uint8Array(await file.arrayBuffer())));
  } catch (cause) {
    toastError(cause);
  }
}

/** A text of entries, one a line, with its import from a file and its export. */
export function WordsField({
  label,
  hint,
  fileName,
  value,
  error,
  rows = 5,
  onChange,
}: {
  label: string;
  hint?: string;
  /** What an export is called, without its ending. */
  fileName: string;
  value: string;
  error?: string | undefined;
  rows?: number;
  onChange: (value: string) => void;
}) {
  const t = useT();
  const { number } = useFormat();
  const lines = useMemo(() => linesOf(value), [value]);
  const editable = lines.length <= MAX_EDITABLE_LINES;

  const add = (file: File) =>
    void readWords(file, (text) => {
      const { text: next, added } = withWords(value, wordsOfFile(file.name, text));
      onChange(next);
      toastDone('rules.imported', { n: added });
    });

  return (
    <div className="words-field">
      {editable ? (
        <TextAreaField
          label={label}
          optional
          rows={rows}
          value={value}
          spellCheck={false}
          {...(hint ? { hint } : {})}
          error={error}
          onChange={(event) => onChange(event.target.value)}
        />
      ) : (
        <div className="field">
          <span className="field-label">{label}</span>
          <p className="field-hint">{t('rules.too_many_to_edit', { n: lines.length })}</p>
          {error && (
            <span className="field-error" role="alert">
              {error}
            </span>
          )}
        </div>
      )}
      <div className="words-actions" role="group" aria-label={label}>
        <FileButton label={t('rules.import')} accept=".txt,.csv,text/plain,text/csv" onFile={add} />
        <Button
          disabled={lines.length === 0}
          onClick={() => saveText(`${fileName}.txt`, 'text/plain', `${lines.join('\n')}\n`)}
        >
          <Download size={15} aria-hidden="true" /> {t('rules.export')}
        </Button>
        {!editable && (
          <Button kind="quiet" onClick={() => onChange('')}>
            <Eraser size={15} aria-hidden="true" /> {t('rules.clear')}
          </Button>
        )}
        <span aria-hidden={lines.length === 0}>
          {lines.length > 0 && t('rules.entries', { n: number(lines.length) })}
        </span>
      </div>
    </div>
  );
}
