import { useQuery } from '@tanstack/react-query';
import { Copy, ShieldAlert, Tag } from 'lucide-react';
import { useState } from 'react';
import { Link } from 'wouter';
import * as api from '../../api/endpoints';
import type { DocumentItem } from '../../api/types';
import { useT } from '../../i18n/use';
import { Button, ErrorNotice, IconButton, Loading } from '../../kit/controls';
import { Dialog, FormDialog } from '../../kit/dialog';
import { keys, refresh } from '../../state/queries';
import { documentUrl } from '../../viewer/passage';
import { KINDS } from './sensitive';
import './rules.css';

const percent = (share: number) => Math.round(share * 100);

/** What is known of a document beside its state: labels, a document that says nearly the same, findings. */
export function DocumentSigns({ document, canEdit }: { document: DocumentItem; canEdit: boolean }) {
  const t = useT();
  const [open, setOpen] = useState(false);
  const labels = document.labels ?? [];
  const near = document.near_duplicate_of;
  const findings = document.finding_count ?? 0;
  if (labels.length === 0 && !near && findings === 0) return null;
  return (
    <div className="signs">
      {labels.map((label) => (
        <span
          key={label.name}
          className="badge badge-accent"
          title={
            label.corrected ? t('labels.by_hand') : t('labels.confidence', { n: percent(label.confidence) })
          }
        >
          {label.name}
          {!label.corrected && <small>{percent(label.confidence)}%</small>}
        </span>
      ))}
      {near && (
        <Link href={documentUrl(near.document_id)} className="badge">
          <Copy size={12} aria-hidden="true" /> {t('documents.near', { n: percent(near.similarity) })}
        </Link>
      )}
      {findings > 0 &&
        (canEdit ? (
          <button type="button" className="badge badge-warn" onClick={() => setOpen(true)}>
            <ShieldAlert size={12} aria-hidden="true" /> {t('privacy.findings', { n: findings })}
          </button>
        ) : (
          <span className="badge badge-warn">
            <ShieldAlert size={12} aria-hidden="true" /> {t('privacy.findings', { n: findings })}
          </span>
        ))}
      {open && <FindingsDialog document={document} onClose={() => setOpen(false)} />}
    </div>
  );
}

/** Opens the labels of a document for correction. */
export function LabelsButton({ document }: { document: DocumentItem }) {
  const t = useT();
  const [open, setOpen] = useState(false);
  return (
    <>
      <IconButton
        small
        className="sign-edit"
        label={t('labels.choose', { name: document.name })}
        onClick={() => setOpen(true)}
      >
        <Tag size={16} />
      </IconButton>
      {open && <LabelsDialog document={document} onClose={() => setOpen(false)} />}
    </>
  );
}

function FindingsDialog({ document, onClose }: { document: DocumentItem; onClose: () => void }) {
  const t = useT();
  const report = useQuery({
    queryKey: keys.findings(document.id),
    queryFn: () => api.getFindings(document.id),
  });
  return (
    <Dialog title={t('privacy.findings_of', { name: document.name })} onClose={onClose}>
      {report.error ? (
        <ErrorNotice error={report.error} />
      ) : report.data ? (
        <>
          <div className="signs">
            {KINDS.filter((kind) => report.data.counts[kind]).map((kind) => (
              <span key={kind} className="badge">
                {t(`kind.${kind}`)} {report.data.counts[kind]}
              </span>
            ))}
          </div>
          <div className="findings">
            <table className="table">
              <tbody>
                {report.data.items.map((item, index) => (
                  <tr key={index}>
                    <td>{t(`kind.${item.kind}`)}</td>
                    <td>
                      <code>{item.sample}</code>
                    </td>
                    <td className="nowrap">
                      {item.block == null
                        ? t('privacy.in_name')
                        : item.page
                          ? t('privacy.on_page', { n: item.page })
                          : t('privacy.in_block', { n: item.block + 1 })}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
          {report.data.truncated && (
            <p className="field-hint">{t('privacy.truncated', { n: report.data.items.length })}</p>
          )}
          <div className="dialog-actions">
            <Button onClick={onClose}>{t('common.close')}</Button>
          </div>
        </>
      ) : (
        <Loading />
      )}
    </Dialog>
  );
}

function LabelsDialog({ document, onClose }: { document: DocumentItem; onClose: () => void }) {
  const t = useT();
  const base = document.knowledge_base_id;
  const labels = useQuery({ queryKey: keys.labels(base), queryFn: () => api.getLabels(base) });
  const [chosen, setChosen] = useState(() => new Set((document.labels ?? []).map((label) => label.name)));
  function toggle(name: string) {
    const next = new Set(chosen);
    if (!next.delete(name)) next.add(name);
    setChosen(next);
  }
  return (
    <FormDialog
      title={t('labels.choose', { name: document.name })}
      submitLabel={t('common.save')}
      disabled={!labels.data?.length}
      onSubmit={async () => {
        await api.updateDocument(document.id, { labels: [...chosen] });
        await refresh(keys.documents(base));
      }}
      onClose={onClose}
    >
      {labels.error ? (
        <ErrorNotice error={labels.error} />
      ) : !labels.data ? (
        <Loading />
      ) : labels.data.length === 0 ? (
        <p className="dialog-text">{t('labels.none')}</p>
      ) : (
        <fieldset className="kinds">
          <legend className="visually-hidden">{t('labels.title')}</legend>
          {labels.data.map((label) => (
            <label key={label.name} title={label.description}>
              <input type="checkbox" checked={chosen.has(label.name)} onChange={() => toggle(label.name)} />
              {label.name}
            </label>
          ))}
        </fieldset>
      )}
      <p className="field-hint">{t('labels.corrected_hint')}</p>
    </FormDialog>
  );
}
