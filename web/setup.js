'use strict';
const zh = {
  title: '设置 Picora', intro: '创建第一个账户，它将管理此服务器。', email: '邮箱地址', password: '密码（8 至 64 个字符）', again: '再次输入密码',
  nickname: '昵称（可选）', make: '创建账户', done: '账户已创建，此链接已失效。', next: '接下来，为您的上传工具创建 API 密钥。在服务器上运行（如果数据目录不是 ./data，请加上 --data 目录）：', start: '如何配置 PicGo 等工具',
  over: '此 Picora 已完成设置，请登录。', differ: '两次输入的密码不一致。', lost: '无法连接服务器，请重试。', noToken: '请打开服务器启动时打印的完整链接。',
};
// What the API says, in English, is told apart by its code and a word; what is not known here is shown as it is.
const zhRefusals = [
  ['GONE', /expired/, '此链接已过期。请重新启动服务器，它会打印新的链接。'],
  ['GONE', /set up/, zh.over],
  ['FORBIDDEN', /printed/, '这不是服务器启动时打印的链接，请查看服务器日志。'],
  ['FORBIDDEN', /base_url/, '只有此服务器的页面可以执行此操作。如果这就是，请将 base_url 设为它的地址。'],
  ['VALIDATION_ERROR', /email/, '请输入有效的邮箱地址，例如 you@example.org。'],
  ['VALIDATION_ERROR', /password/, '密码须为 8 至 64 个字符。'],
  ['VALIDATION_ERROR', /nickname/, '昵称最多 60 个可见字符。'],
  ['RATE_LIMITED', /./, '尝试次数过多，请稍后再试。'],
  ['SERVER_BUSY', /./, '服务器繁忙，请稍后再试。'],
  ['STORAGE_FULL', /./, '服务器磁盘已满。'],
  ['INTERNAL', /./, '服务器出错，原因见服务器日志。'],
];
const en = {
  over: 'This Picora has been set up. Sign in.', differ: 'The passwords differ.', lost: 'The server cannot be reached. Try again.', noToken: 'Open the whole link that the server printed when it started.',
};
const chinese = (navigator.language || '').toLowerCase().startsWith('zh');
const text = chinese ? zh : en;
const by = (id) => document.getElementById(id);
const form = by('form');
const refusal = (a) => (chinese && zhRefusals.find(([code, word]) => a.code === code && word.test(a.error)) || [])[2] || a.error;
const say = (s) => { by('error').textContent = s; };

if (chinese) {
  document.documentElement.lang = 'zh-CN';
  document.title = zh.title;
  for (const e of document.querySelectorAll('[data-t]')) e.textContent = zh[e.dataset.t];
}

// The token leaves the address, so that it is in no history.
const token = new URLSearchParams(location.search).get('token') || '';
if (token) history.replaceState(null, '', '/setup');

const over = () => { form.hidden = by('intro').hidden = true; say(text.over); };

fetch('/v1/setup').then((r) => r.json()).then((r) => {
  if (!r.data.needed) over();
  else if (!token) { form.hidden = true; say(text.noToken); }
}).catch(() => say(text.lost));

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const f = Object.fromEntries(new FormData(form));
  if (f.password !== f.again) { say(text.differ); return; }
  say('');
  const button = form.querySelector('button');
  button.disabled = true;
  try {
    const r = await fetch('/v1/setup', {
      method: 'POST', headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ token, email: f.email, password: f.password, nickname: f.nickname, locale: chinese ? 'zh-CN' : 'en' }),
    });
    const answer = await r.json();
    if (!r.ok) { say(refusal(answer)); button.disabled = false; return; }
    form.hidden = by('intro').hidden = true;
    by('command').textContent = 'picora key add --user ' + answer.data.user.email + ' --name PicGo';
    by('done').hidden = false;
  } catch {
    say(text.lost);
    button.disabled = false;
  }
});
