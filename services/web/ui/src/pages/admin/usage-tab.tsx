import { useQuery } from '@tanstack/react-query';
import { ChartColumn } from 'lucide-react';
import * as api from '../../api/endpoints';
import { useFormat, useT } from '../../i18n/use';
import { EmptyState, ErrorState, Loading } from '../../kit/controls';
import { keys } from '../../state/queries';
import { byDay, byUser, type DayUsage } from './usage';

export default function UsageTab() {
  const t = useT();
  const { number } = useFormat();
  const usage = useQuery({ queryKey: keys.usage, queryFn: api.listUsage });
  if (usage.error) return <ErrorState error={usage.error} onRetry={() => void usage.refetch()} />;
  if (!usage.data) return <Loading />;
  if (usage.data.length === 0) {
    return <EmptyState icon={<ChartColumn size={40} strokeWidth={1.3} />} title={t('usage.empty')} />;
  }
  return (
    <>
      <p className="tab-lead">{t('usage.lead')}</p>
      <Days days={byDay(usage.data)} />
      <div className="card table-wrap">
        <table className="table">
          <thead>
            <tr>
              <th scope="col">{t('audit.actor')}</th>
              <th scope="col" className="number">
                {t('usage.answers')}
              </th>
              <th scope="col" className="number">
                {t('usage.tokens')}
              </th>
            </tr>
          </thead>
          <tbody>
            {byUser(usage.data).map((user) => (
              <tr key={user.user_id}>
                <td>{user.username}</td>
                <td className="number">{number(user.answers)}</td>
                <td className="number">{number(user.tokens)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

/** Answers by day as bars, the oldest on the left; each bar says its number. */
function Days({ days }: { days: readonly DayUsage[] }) {
  const t = useT();
  const { date } = useFormat();
  const most = Math.max(1, ...days.map((day) => day.answers));
  return (
    <ol className="card days" aria-label={t('usage.answers')}>
      {[...days].reverse().map((day) => {
        const label = t('usage.on_day', { day: date(day.day), n: day.answers });
        return (
          <li key={day.day} title={label}>
            <span className="visually-hidden">{label}</span>
            <i style={{ height: `${(day.answers / most) * 100}%` }} />
          </li>
        );
      })}
    </ol>
  );
}
