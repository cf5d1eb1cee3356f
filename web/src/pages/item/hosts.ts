/** The hosts that somebody wrote, one to a line or with commas between; whole addresses are shortened to theirs. */
export function hosts(text: string): string[] {
  const all = text.split(/[\s,，;]+/).filter(Boolean).map((word) => word.replace(/^[a-z][a-z0-9+.-]*:\/\//i, '').replace(/[/?#:].*$/, '').toLowerCase());
  return [...new Set(all.filter(Boolean))];
}
