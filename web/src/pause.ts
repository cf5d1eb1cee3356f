/** Lets the browser do what waits, such as to answer a finger, before the page goes on. */
export const pause = (): Promise<void> => new Promise((done) => setTimeout(done));
