// All languages have all texts, with the same places for values.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

const read = (name) => JSON.parse(readFileSync(new URL(`./i18n/${name}.json`, import.meta.url), 'utf8'));
const flat = (tree, at = '') => Object.entries(tree).flatMap(([k, v]) => (typeof v === 'string' ? [[at + k, v]] : flat(v, `${at}${k}.`)));
const places = (s) => [...s.matchAll(/\{(\w+)\}/g)].map((m) => m[1]).sort().join();

test('Chinese has all that English has', () => {
  const en = new Map(flat(read('en')));
  const zh = new Map(flat(read('zh-CN')));
  for (const [key, text] of en) {
    if (key.endsWith('_one')) continue; // Chinese has one form
    assert.ok(zh.get(key)?.trim(), `zh-CN.json has no ${key}`);
    assert.equal(places(zh.get(key)), places(text), key);
  }
  for (const key of zh.keys()) assert.ok(en.has(key), `en.json has no ${key}`);
  for (const key of en.keys()) if (key.endsWith('_one')) assert.ok(en.has(key.replace(/_one$/, '_other')), `${key} alone`);
});

test('every code of an error that the server gives has its text', () => {
  const codes = [...readFileSync(new URL('../../app/fault/fault.go', import.meta.url), 'utf8').matchAll(/^\t\w+ +Code = "(\w+)"$/gm)].map((m) => m[1]);
  assert.ok(codes.length > 30, `only ${codes.length} codes were found`);
  for (const name of ['en', 'zh-CN']) {
    const texts = Object.keys(read(name).errors.code).map((key) => key.replace(/_(one|other)$/, ''));
    for (const code of codes) assert.ok(texts.includes(code), `${name}.json has no errors.code.${code}`);
    for (const text of texts) assert.ok(codes.includes(text), `${name}.json has a text for ${text}, which is no code`);
  }
});
