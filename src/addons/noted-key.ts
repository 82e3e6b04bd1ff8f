/** An object key for notes on disk: the query of a presigned URL is a credential. */
export function notedKey(key: string): string {
  return /^[a-z][a-z0-9+.-]*:\/\//iu.test(key) ? key.replace(/[?#].*$/su, "") : key;
}
