import { useInfiniteQuery } from '@tanstack/react-query';
import { ScrollText } from 'lucide-react';
import * as api from '../../api/endpoints';
import type { AuditRow } from '../../api/types';
import { useFormat, useT } from '../../i18n/use';
import { Button, EmptyState, ErrorState, Loading } from '../../kit/controls';
import { keys } from '../../state/queries';

export default function AuditTab() {
  const t = useT();
  const audit = useInfiniteQuery({
    queryKey: keys.audit,
    queryFn: ({ pageParam }) => api.listAudit(pageParam),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
  });
  if (audit.error) return <ErrorState error={audit.error} onRetry={() => void audit.refetch()} />;
  if (!audit.data) return <Loading />;
  const rows = audit.data.pages.flatMap((page) => page.items);
  if (rows.length === 0) {
    return <EmptyState icon={<ScrollText size={40} strokeWidth={1.3} />} title={t('audit.empty')} />;
  }
  return (
    <>
      <p className="tab-lead">{t('audit.lead')}</p>
      <div className="card table-wrap">
        <table className="table">
          <thead>
            <tr>
              <th scope="col">{t('audit.time')}</th>
              <th scope="col">{t('audit.actor')}</th>
              <th scope="col">{t('audit.action')}</th>
              <th scope="col">{t('audit.object')}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <Row key={row.id} row={row} />
            ))}
          </tbody>
        </table>
      </div>
      {audit.hasNextPage && (
        <Button
          kind="quiet"
          className="show-more"
          busy={audit.isFetchingNextPage}
          onClick={() => void audit.fetchNextPage()}
        >
          {t('audit.more')}
        </Button>
      )}
    </>
  );
}

function Row({ row }: { row: AuditRow }) {
  const format = useFormat();
  return (
    <tr>
      <td className="nowrap">{format.time(row.at)}</td>
      <td>
        {row.actor_name || '–'}
        <small className="audit-address">{row.address}</small>
      </td>
      <td>
        <code>{row.action}</code>
      </td>
      <td>
        <code className="audit-object">{row.object}</code>
      </td>
    </tr>
  );
}
