import { AlertTriangle, FileText, RotateCcw, Trash2 } from 'lucide-react';
import { memo, useState } from 'react';
import { Link } from 'wouter';
import type { DocumentItem } from '../../api/types';
import { useErrorText, useFormat, useT } from '../../i18n/use';
import { Button, IconButton } from '../../kit/controls';
import { inProgress } from '../../upload/progress';
import { documentUrl } from '../../viewer/passage';

/** Rows shown at first, and more each time: a table of ten thousand rows would freeze the page. */
const ROWS_STEP = 200;

interface Actions {
  canEdit: boolean;
  onRetry: (document: DocumentItem) => void;
  onDelete: (document: DocumentItem) => void;
}

export function DocumentTable({ documents, ...actions }: { documents: readonly DocumentItem[] } & Actions) {
  const t = useT();
  const [shown, setShown] = useState(ROWS_STEP);
  if (documents.length === 0) return <p className="no-match">{t('documents.no_match')}</p>;
  const more = Math.min(documents.length - shown, ROWS_STEP);
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
          {documents.slice(0, shown).map((document) => (
            <Row key={document.id} document={document} {...actions} />
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

const Row = memo(function Row({
  document,
  canEdit,
  onRetry,
  onDelete,
}: { document: DocumentItem } & Actions) {
  const t = useT();
  const format = useFormat();
  const folder = document.path.includes('/') ? document.path.slice(0, document.path.lastIndexOf('/')) : '';
  return (
    <tr data-document={document.id}>
      <td>
        <div className="file">
          <FileText size={18} aria-hidden="true" />
          <div>
            {document.status === 'indexed' ? (
              <Link href={documentUrl(document.id)} aria-label={t('documents.open', { name: document.name })}>
                {document.name}
              </Link>
            ) : (
              <span>{document.name}</span>
            )}
            {folder && <small>{folder}</small>}
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
          {document.status === 'failed' && (
            <IconButton small label={t('documents.retry')} onClick={() => onRetry(document)}>
              <RotateCcw size={16} />
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
