import { useMemo } from 'react';
import ReactMarkdown, { type Components } from 'react-markdown';
import remarkGfm from 'remark-gfm';
import { unsupportedSentences, withoutHalfCitation } from '../../chat/citations';
import { markAnswer } from '../../chat/mark-answer';
import type { Message } from '../../chat/conversation';
import { useT } from '../../i18n/use';
import { markdownTables } from '../../viewer/blocks';
import { cellClass } from '../../viewer/passage-text';
import { CitationChip } from './citation-chip';

/** An answer's Markdown. Raw HTML is not rendered: it comes out as text. */
export default function Markdown({
  message,
  content,
  onOpenSource,
}: {
  message: Message;
  content: string;
  onOpenSource: (n: number) => void;
}) {
  const t = useT();
  const { sources, citations, state } = message;
  const plugins = useMemo(() => {
    const known = new Set(sources.map((source) => source.n));
    return [remarkGfm, [markAnswer, { known, unsupported: unsupportedSentences(citations) }]] as const;
  }, [sources, citations]);
  const components = useMemo(
    (): Components => ({
      cite: ({ node }) => {
        const n = Number(node?.properties['data-n']);
        const source = sources.find((item) => item.n === n);
        return source ? <CitationChip source={source} onOpen={() => onOpenSource(n)} /> : null;
      },
      mark: ({ children }) => (
        <mark className="unsupported" title={t('answer.unsupported')}>
          {children}
        </mark>
      ),
      a: ({ href, children }) => (
        <a href={href} target="_blank" rel="noreferrer noopener">
          {children}
        </a>
      ),
      // A picture in an answer would make the browser call an address that a document chose.
      img: ({ alt }) => <span className="no-image">{alt}</span>,
      td: ({ children }) => <td className={cellClass(children)}>{children}</td>,
      table: ({ children }) => (
        <div className="table-wrap" tabIndex={0} role="region">
          <table>{children}</table>
        </div>
      ),
    }),
    [sources, onOpenSource, t],
  );
  const arrived = state === 'running' ? withoutHalfCitation(content) : content;
  // A quoted passage is not Markdown, and its tables are rows with bare pipes.
  const text = message.outcome === 'quoted' ? markdownTables(arrived) : arrived;
  return (
    <ReactMarkdown remarkPlugins={[...plugins] as never} components={components}>
      {text}
    </ReactMarkdown>
  );
}
