import * as pdfjs from 'pdfjs-dist/legacy/build/pdf.mjs';
import type { PDFDocumentLoadingTask, PDFDocumentProxy, PDFPageProxy } from 'pdfjs-dist';
import workerUrl from 'pdfjs-dist/legacy/build/pdf.worker.min.mjs?url';

pdfjs.GlobalWorkerOptions.workerSrc = workerUrl;

/** pdf.js's character maps, fonts and decoders, served by ourselves: the page works without the internet. */
const ASSETS = '/pdfjs';

export function openPdf(url: string): PDFDocumentLoadingTask {
  return pdfjs.getDocument({
    url,
    withCredentials: true,
    cMapUrl: `${ASSETS}/cmaps/`,
    cMapPacked: true,
    standardFontDataUrl: `${ASSETS}/standard_fonts/`,
    wasmUrl: `${ASSETS}/wasm/`,
    iccUrl: `${ASSETS}/iccs/`,
    // Scripts in documents are not run, and forms stay as they are drawn.
    enableXfa: false,
    isEvalSupported: false,
  });
}

export const { TextLayer } = pdfjs;
export type { PDFDocumentProxy, PDFPageProxy };
