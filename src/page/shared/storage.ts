/** What the browser keeps for this page. */

/** Undefined where cookies and storage are forbidden; the page then forgets. */
export function storage(): Storage | undefined {
  try {
    return localStorage;
  } catch {
    return undefined;
  }
}
