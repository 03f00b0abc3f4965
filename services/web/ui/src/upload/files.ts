/** Files out of a drop or a picker, with the folder that they came from. */

export interface PickedFile {
  file: File;
  /** Folder and name, `/`-separated, when the file came with a folder. */
  path: string | null;
}

/** Files taken from one drop at most; beyond that a folder is better loaded by `anwen ingest`. */
export const MAX_PICKED_FILES = 5000;
/** Folders are followed this deep. */
const MAX_FOLDER_DEPTH = 32;

/** What operating systems leave in folders and nobody means to upload. */
const LITTER = /^(\.|~\$|Thumbs\.db$|desktop\.ini$)/i;

export const isLitter = (name: string) => LITTER.test(name);

export function fromPicker(files: FileList): PickedFile[] {
  return [...files]
    .filter((file) => !isLitter(file.name))
    .slice(0, MAX_PICKED_FILES)
    .map((file) => ({ file, path: file.webkitRelativePath || null }));
}

const readBatch = (reader: FileSystemDirectoryReader) =>
  new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
const readFile = (entry: FileSystemFileEntry) =>
  new Promise<File>((resolve, reject) => entry.file(resolve, reject));

async function walk(entry: FileSystemEntry, found: PickedFile[], depth: number): Promise<void> {
  if (found.length >= MAX_PICKED_FILES || depth > MAX_FOLDER_DEPTH || isLitter(entry.name)) return;
  if (entry.isFile) {
    const file = await readFile(entry as FileSystemFileEntry);
    found.push({ file, path: depth === 0 ? null : entry.fullPath.replace(/^\//, '') });
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  // A reader gives a folder in batches (of 100 in Chromium) and says the end by an empty one.
  for (let batch = await readBatch(reader); batch.length > 0; batch = await readBatch(reader)) {
    for (const child of batch) await walk(child, found, depth + 1);
  }
}

/** Every file of a drop, folders included. Must be called within the drop event: entries expire after it. */
export async function fromDrop(transfer: DataTransfer): Promise<PickedFile[]> {
  const entries = [...transfer.items]
    .map((item) => item.webkitGetAsEntry())
    .filter((entry) => entry !== null);
  if (entries.length === 0) return fromPicker(transfer.files);
  const found: PickedFile[] = [];
  for (const entry of entries) await walk(entry, found, 0);
  return found;
}
