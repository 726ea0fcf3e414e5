// A file on its way from one page to the next: browsers pass addresses on, but no files. It waits in the browser's own
// database, and is taken out once.

const NAME = "handoff";
const STORE = "files";
const KEY = "dropped";

/** @returns {Promise<IDBDatabase>} */
function open() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/**
 * @template T
 * @param {(store: IDBObjectStore) => IDBRequest<T>} work
 * @returns {Promise<T>}
 */
async function inStore(work) {
  const database = await open();
  try {
    return await new Promise((resolve, reject) => {
      const transaction = database.transaction(STORE, "readwrite");
      const request = work(transaction.objectStore(STORE));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onerror = transaction.onabort = () => reject(transaction.error);
    });
  } finally {
    database.close();
  }
}

/**
 * Leave a file for the next page. Rejects where the browser keeps nothing.
 *
 * @param {File} file
 */
export async function leaveFile(file) {
  await inStore((store) => store.put(file, KEY));
}

/**
 * Take the file that the page before left, if it did.
 *
 * @returns {Promise<File | null>}
 */
export async function takeFile() {
  try {
    const file = await inStore((store) => {
      const found = store.get(KEY);
      store.delete(KEY); // at once: two pages do not both take it
      return found;
    });
    return file instanceof File ? file : null;
  } catch {
    return null; // in a private window there may be no database
  }
}
