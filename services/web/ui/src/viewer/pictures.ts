/** Boxes on pictures are in points, a picture being 96 pixels to an inch of 72 points. */
export const PIXELS_PER_POINT = 96 / 72;

/** Kinds of pictures that every browser shows. TIFF is none of them: it is shown as its text. */
const SHOWN = new Set(['image/png', 'image/jpeg', 'image/webp', 'image/gif', 'image/bmp']);

export const isShownPicture = (mediaType: string): boolean => SHOWN.has(mediaType);
