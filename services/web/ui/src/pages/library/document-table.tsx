import {
  AlertTriangle,
  ChevronDown,
  ChevronRight,
  FileText,
  KeyRound,
  Package,
  RotateCcw,
  Trash2,
} from 'lucide-react';
import { memo, useCallback, useMemo, useState } from 'react';
import { Link } from 'wouter';
import type { DocumentItem } from '../../api/types';
import { useErrorText, useFormat, useT } from '../../i18n/use';
import { Button, IconButton } from '../../kit/controls';
import { inProgress } from '../../upload/progress';
import { documentUrl } from '../../viewer/passage';
import { DocumentSigns, LabelsButton } from './document-signs';
import { needsPassword } from './locked';
import { folderOf, nestedRows } from './nesting';

/** How much further to the right what is inside of a document stands. */
const INDENT_PX = 24;
/** Rows shown at first, and more each time: a table of ten thousand rows would freeze the page. */
const ROWS_STEP = 200;

interface Actions {
  canEdit: boolean;
  onRetry: (document: DocumentItem) => void;
  onDelete: (document: DocumentItem) => void;
}

/** `flat`: a choice of documents, each by itself and with its whole path. */
export function DocumentTable({
  documents,
  flat,
  ...actions
}: { documents: readonly DocumentItem[]; flat: boolean } & Actions) {
  const t = useT();
  const [shown, setShown] = useState(ROWS_STEP);
  const [unfolded, setUnfolded] = useState<ReadonlySet<string>>(new Set());
  const toggle = useCallback((id: string) => {
    setUnfolded((before) => {
      const after = new Set(before);
      if (!after.delete(id)) after.add(id);
      return after;
    });
  }, []);
  const rows = useMemo(
    () => (flat ? documents.map((document) => ({ document, depth: 0 })) : nestedRows(documents, unfolded)),
    [documents, flat, unfolded],
  );
  const paths = useMemo(() => new Map(documents.map(({ id, path }) => [id, path])), [documents]);
  if (documents.length === 0) return <p className="no-match">{t('documents.no_match')}</p>;
  const more = Math.min(rows.length - shown, ROWS_STEP);
  return (
    <div className="card table-wrap">
      <table className="table documents">
        <thead>
          <tr>
            <th scope="col">{t('documents.name')}</th>
            <th scope="col">{t('documents.status')}</th>
            <th scope="col" className="number narrow-hide">
              {t('documents.pages')}
            </th>
            <th scope="col" className="number narrow-hide">
              {t('documents.size')}
            </th>
            <th scope="col" className="narrow-hide">
              {t('documents.updated')}
            </th>
            {actions.canEdit && (
              <th scope="col">
                <span className="visually-hidden">{t('documents.actions')}</span>
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, shown).map(({ document, depth }) => (
            <Row
              key={document.id}
              document={document}
              depth={depth}
              holderPath={(depth > 0 && paths.get(document.parent_id ?? '')) || null}
              unfolded={unfolded.has(document.id)}
              onToggle={flat ? null : toggle}
              {...actions}
            />
          ))}
        </tbody>
      </table>
      {more > 0 && (
        <Button kind="quiet" className="show-more" onClick={() => setShown(shown + ROWS_STEP)}>
          {t('documents.show_more', { n: more })}
        </Button>
      )}
    </div>
  );
}

interface RowPlace {
  document: DocumentItem;
  depth: number;
  /** The path of the document that this one is shown inside of. */
  holderPath: string | null;
  unfolded: boolean;
  /** Absent where nothing is folded. */
  onToggle: ((id: string) => void) | null;
}

const Row = memo(function Row({
  document,
  depth,
  holderPath,
  unfolded,
  onToggle,
  canEdit,
  onRetry,
  onDelete,
}: RowPlace & Actions) {
  const t = useT();
  const format = useFormat();
  const folder = folderOf(document, holderPath);
  const inside = document.child_count ?? 0;
  // An archive has no text of its own to open.
  const Icon = inside > 0 && document.chunk_count === 0 ? Package : FileText;
  return (
    <tr data-document={document.id} data-depth={depth}>
      <td>
        <div className="file" style={depth > 0 ? { marginInlineStart: depth * INDENT_PX } : undefined}>
          <Icon size={18} aria-hidden="true" />
          <div>
            {document.status === 'indexed' && Icon === FileText ? (
              <Link href={documentUrl(document.id)} aria-label={t('documents.open', { name: document.name })}>
                {document.name}
              </Link>
            ) : (
              <span>{document.name}</span>
            )}
            {folder && <small>{folder}</small>}
            {inside > 0 && onToggle && (
              <button
                type="button"
                className="file-inside"
                aria-expanded={unfolded}
                aria-label={`${document.name}: ${t('documents.inside', { n: inside })}`}
                onClick={() => onToggle(document.id)}
              >
                {unfolded ? (
                  <ChevronDown size={14} aria-hidden="true" />
                ) : (
                  <ChevronRight size={14} aria-hidden="true" />
                )}
                {t('documents.inside', { n: inside })}
              </button>
            )}
            <DocumentSigns document={document} canEdit={canEdit} />
            <Notices document={document} />
          </div>
        </div>
      </td>
      <td>
        <Status document={document} />
      </td>
      <td className="number narrow-hide">{document.pages ?? ''}</td>
      <td className="number narrow-hide">{format.bytes(document.bytes)}</td>
      <td className="narrow-hide nowrap">{format.time(document.updated_at)}</td>
      {canEdit && (
        <td className="actions">
          <LabelsButton document={document} />
          {document.status === 'failed' && (
            <IconButton
              small
              label={t(needsPassword(document) ? 'documents.password_give' : 'documents.retry')}
              onClick={() => onRetry(document)}
            >
              {needsPassword(document) ? <KeyRound size={16} /> : <RotateCcw size={16} />}
            </IconButton>
          )}
          <IconButton
            small
            label={`${t('common.delete')}: ${document.name}`}
            onClick={() => onDelete(document)}
          >
            <Trash2 size={16} />
          </IconButton>
        </td>
      )}
    </tr>
  );
});

function Notices({ document }: { document: DocumentItem }) {
  const t = useT();
  const errorText = useErrorText();
  return (
    <>
      {document.error && <p className="file-error">{errorText(document.error)}</p>}
      {document.warnings.length > 0 && (
        <details className="file-warnings">
          <summary>
            <AlertTriangle size={13} aria-hidden="true" />{' '}
            {t('documents.warnings', { n: document.warnings.length })}
          </summary>
          <ul>
            {document.warnings.map((warning, index) => (
              <li key={index}>{warning.message}</li>
            ))}
          </ul>
        </details>
      )}
    </>
  );
}

function Status({ document }: { document: DocumentItem }) {
  const t = useT();
  const label = t(`status.${document.status}`);
  if (inProgress(document)) {
    const percent = Math.round(document.progress * 100);
    return (
      <div className="file-progress">
        <span>
          {label} {percent > 0 && `${percent}%`}
        </span>
        <div
          className="progress"
          role="progressbar"
          aria-valuenow={percent}
          aria-valuemin={0}
          aria-valuemax={100}
          aria-label={`${document.name}: ${label}`}
        >
          <i style={{ width: `${percent}%` }} />
        </div>
      </div>
    );
  }
  return (
    <span className={`badge ${document.status === 'failed' ? 'badge-danger' : 'badge-ok'}`}>{label}</span>
  );
}
