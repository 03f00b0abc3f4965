import { Fragment } from 'react';
import { textBlocks } from './blocks';
import { evidenceRuns, quotesRow } from './evidence';

/** Short codes and numbers stay on one line: a code that is broken at its hyphen is hard to read. */
const SHORT_CODE = /^[\x20-\x7e]{1,12}$/;

export const cellClass = (text: unknown) =>
  typeof text === 'string' && SHORT_CODE.test(text) ? 'short-cell' : undefined;

/** A passage's text with its tables as tables. */
export function PassageText({
  text,
  evidence = [],
}: {
  text: string;
  /** Sentences of an answer: what they quote is marked. */
  evidence?: readonly string[];
}) {
  return textBlocks(text).map((block, index) =>
    block.kind === 'text' ? (
      <span key={index} className="passage-text">
        {evidenceRuns(block.text, evidence).map((run, at) =>
          run.evidence ? <mark key={at}>{run.text}</mark> : <Fragment key={at}>{run.text}</Fragment>,
        )}
      </span>
    ) : (
      <span key={index} className="table-wrap passage-table">
        <table>
          <thead>
            <tr>
              {block.header.map((cell, column) => (
                <th key={column} scope="col">
                  {cell}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {block.rows.map((row, number) => (
              <tr key={number} className={quotesRow(row, evidence) ? 'evidence-row' : undefined}>
                {row.map((cell, column) => (
                  <td key={column} className={cellClass(cell)}>
                    {cell}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </span>
    ),
  );
}
