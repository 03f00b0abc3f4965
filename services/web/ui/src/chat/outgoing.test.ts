import { describe, expect, it, vi } from 'vitest';
import type { Outgoing } from '../api/types';
import { MAX_QUERY_CHARS, OutgoingConfirmation, proposalFor, sentRuns } from './outgoing';

/** Rules that take a name out, block a word, and cut a courtesy off. */
const rules = (confirms: boolean) => (query: string) => {
  const redactions = query.split('凌云').length - 1;
  const blocked = query.includes('并购');
  const kept = query.replaceAll('凌云', ' ').replace(/^请问/, '').replace(/\s+/g, ' ').trim();
  const answer: Outgoing = {
    query: blocked ? '' : kept,
    redactions,
    blocked: blocked || kept === '',
    needs_confirmation: confirms,
  };
  return Promise.resolve(answer);
};

const confirmation = (confirms = true) => new OutgoingConfirmation(rules(confirms));

describe('what would leave', () => {
  it('is what stays as it is when the rules are applied again', async () => {
    const ask = vi.fn(rules(true));
    expect(await proposalFor('请问请问凌云的离心泵', ask)).toEqual({
      query: '的离心泵',
      redactions: 1,
      blocked: false,
      needsConfirmation: true,
    });
    expect(ask).toHaveBeenLastCalledWith('的离心泵');
  });

  it('is asked for no more characters than the server takes', async () => {
    const ask = vi.fn(rules(true));
    await proposalFor('泵'.repeat(MAX_QUERY_CHARS + 9), ask);
    expect(ask.mock.calls[0]?.[0]).toHaveLength(MAX_QUERY_CHARS);
  });
});

describe('OutgoingConfirmation', () => {
  it('asks nobody where the rules do not want it', async () => {
    const flow = confirmation(false);
    expect(await flow.begin('离心泵')).toEqual({ web_search: true });
    expect(flow.snapshot()).toBeNull();
  });

  it('shows the query, also one that nothing was taken out of, and sends it as it was shown', async () => {
    const flow = confirmation();
    expect(await flow.begin('离心泵')).toBeNull();
    expect(flow.snapshot()).toMatchObject({ state: 'asking', draft: '离心泵', corrected: false });
    expect(await flow.confirm()).toEqual({ web_search: true, web_query: '离心泵' });
    expect(flow.snapshot()).toBeNull();
  });

  it('sends an edited query that the rules leave alone', async () => {
    const flow = confirmation();
    await flow.begin('凌云的离心泵');
    flow.edit('离心泵　 密封');
    expect(await flow.confirm()).toEqual({ web_search: true, web_query: '离心泵 密封' });
  });

  it('shows what the rules change in an edited query before it is sent', async () => {
    const flow = confirmation();
    await flow.begin('离心泵');
    flow.edit('离心泵 凌云');
    expect(await flow.confirm()).toBeNull();
    expect(flow.snapshot()).toMatchObject({ state: 'asking', draft: '离心泵', corrected: true });
    expect(await flow.confirm()).toEqual({ web_search: true, web_query: '离心泵' });
  });

  it('lets a blocked query be mended and never sends it', async () => {
    const flow = confirmation();
    await flow.begin('并购的流程');
    expect(flow.snapshot()).toMatchObject({ state: 'asking', draft: '', proposal: { blocked: true } });
    expect(await flow.confirm()).toBeNull();
    flow.edit('并购');
    expect(await flow.confirm()).toBeNull();
    expect(flow.snapshot()).toMatchObject({ state: 'asking', draft: '并购', proposal: { blocked: true } });
    flow.edit('收购流程');
    expect(await flow.confirm()).toEqual({ web_search: true, web_query: '收购流程' });
  });

  it('goes on without the web when asked to', async () => {
    const flow = confirmation();
    await flow.begin('离心泵');
    expect(flow.withoutWeb()).toEqual({ web_search: false });
    expect(flow.snapshot()).toBeNull();
  });

  it('drops an answer that comes after it was cancelled', async () => {
    let deliver: (answer: Outgoing) => void = () => undefined;
    const flow = new OutgoingConfirmation(() => new Promise((resolve) => (deliver = resolve)));
    const begun = flow.begin('离心泵');
    expect(flow.snapshot()).toMatchObject({ state: 'checking' });
    flow.cancel();
    deliver({ query: '离心泵', redactions: 0, blocked: false, needs_confirmation: false });
    expect(await begun).toBeNull();
    expect(flow.snapshot()).toBeNull();
  });

  it('keeps a failure, and tries again when confirmed', async () => {
    const ask = vi.fn(rules(true)).mockRejectedValueOnce(new TypeError('no network'));
    const flow = new OutgoingConfirmation(ask);
    expect(await flow.begin('离心泵')).toBeNull();
    expect(flow.snapshot()).toMatchObject({ state: 'failed', question: '离心泵' });
    await flow.confirm();
    expect(flow.snapshot()).toMatchObject({ state: 'asking', draft: '离心泵' });
  });
});

describe('what of a question leaves', () => {
  const shown = (question: string, query: string) =>
    sentRuns(question, query).map((run) => (run.sent ? run.text : `[${run.text}]`));

  it.each([
    ['请问凌云计划的离心泵多久更换？', '离心泵多久更换', ['[请问凌云计划的]', '离心泵多久更换？']],
    [
      'How does Acme compare with other pumps?',
      'compare other pumps',
      ['[How does Acme ]', 'compare ', '[with ]', 'other pumps?'],
    ],
    ['ＡＢＣ 泵', 'abc 泵', ['ＡＢＣ 泵']],
    ['call zhang@corp.example about KX-200型', 'KX-200型', ['[call zhang@corp.example about ]', 'KX-200型']],
    ['什么', '', ['[什么]']],
  ])('%s', (question, query, runs) => {
    expect(shown(question, query)).toEqual(runs);
  });
});
