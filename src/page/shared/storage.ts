/** What the browser keeps for this page. */

/** Undefined where cookies and storage are forbidden; the page then forgets. */
export function storage(): Storage | undefined {
  try {
    return localStorage;
  } catch {
    return undefined;
  }
}

/** Keeps a value, or with undefined forgets it. Where storage is full or forbidden the page forgets when it is closed. */
export function keep(key: string, value: string | undefined): boolean {
  try {
    if (value === undefined) storage()?.removeItem(key);
    else storage()?.setItem(key, value);
    return true;
  } catch {
    return false;
  }
}
