import { useQuery } from '@tanstack/react-query';
import { RotateCw } from 'lucide-react';
import * as api from '../../api/endpoints';
import type { EngineHealth } from '../../api/types';
import { useFormat, useT } from '../../i18n/use';
import { ErrorNotice, IconButton, Loading } from '../../kit/controls';
import { keys } from '../../state/queries';

/** How often the table is brought up to date while it is looked at. */
const POLL_MS = 15_000;

/** How each search engine has been doing. */
export function SearchEnginesCard() {
  const t = useT();
  const health = useQuery({
    queryKey: keys.searchEngines,
    queryFn: api.searchEngines,
    refetchInterval: POLL_MS,
  });
  const engines = health.data?.engines ?? [];
  return (
    <section className="card rule-card">
      <header className="engines-head">
        <h2>{t('engines.title')}</h2>
        <IconButton small label={t('engines.refresh')} onClick={() => void health.refetch()}>
          <RotateCw size={16} />
        </IconButton>
      </header>
      {health.error && <ErrorNotice error={health.error} />}
      {health.isLoading && <Loading />}
      {health.data && engines.length === 0 && <p className="notice notice-warn">{t('engines.none')}</p>}
      {engines.length > 0 && (
        <div className="table-wrap" tabIndex={0} role="region" aria-label={t('engines.title')}>
          <table className="table engines">
            <thead>
              <tr>
                <th scope="col">{t('engines.name')}</th>
                <th scope="col">{t('engines.state')}</th>
                <th scope="col" className="number">
                  {t('engines.latency')}
                </th>
                <th scope="col" className="number">
                  {t('engines.requests')}
                </th>
                <th scope="col" className="number">
                  {t('engines.results')}
                </th>
                <th scope="col">{t('engines.last_success')}</th>
                <th scope="col">{t('engines.last_error')}</th>
              </tr>
            </thead>
            <tbody>
              {engines.map((engine) => (
                <Row key={engine.name} engine={engine} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

function Row({ engine }: { engine: EngineHealth }) {
  const t = useT();
  const { number, time } = useFormat();
  const latency = [engine.p50_ms, engine.p95_ms].map((ms) => (ms == null ? '–' : number(Math.round(ms))));
  return (
    <tr>
      <th scope="row">
        {engine.name}
        {engine.kind !== engine.name && <small>{engine.kind}</small>}
      </th>
      <td>
        <State engine={engine} />
      </td>
      <td className="number">{engine.p50_ms == null ? '–' : latency.join(' / ')}</td>
      <td className="number">
        {number(engine.requests)}
        {engine.failures > 0 && <small>{t('engines.failures', { n: engine.failures })}</small>}
        {engine.skipped > 0 && <small>{t('engines.skipped', { n: engine.skipped })}</small>}
      </td>
      <td className="number">{number(Math.round(engine.mean_results * 10) / 10)}</td>
      <td className="nowrap">{engine.last_success_at ? time(engine.last_success_at) : '–'}</td>
      <td className="engine-error">{engine.last_error ?? '–'}</td>
    </tr>
  );
}

const STATES: Record<string, { className: string; label: 'engines.ok' | 'engines.paused' }> = {
  ok: { className: 'badge badge-ok', label: 'engines.ok' },
  paused: { className: 'badge badge-danger', label: 'engines.paused' },
};

/** Whether requests go to the engine: after failures a circuit breaker holds them back for a while. */
function State({ engine }: { engine: EngineHealth }) {
  const t = useT();
  const { clock } = useFormat();
  const known = STATES[engine.state];
  return (
    <>
      <span className={known?.className ?? 'badge'}>{t(known?.label ?? 'engines.unknown')}</span>
      {engine.paused_until && (
        <small>{t('engines.paused_until', { time: clock(engine.paused_until) })}</small>
      )}
    </>
  );
}
