// What the guide can do where there is JavaScript: find as one types, copy what stands in
// a box, look as the dashboard does. Without it all of the guide can be read and searched.
try {
  const theme = localStorage.getItem('picora-theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // storage is forbidden: the system's theme it is
}

// On wide screens the contents stand beside the page: the style sheet opens them, in browsers that can.
if (matchMedia('(min-width: 861px)').matches) document.querySelector('.side details')?.setAttribute('open', '');

const chinese = document.documentElement.lang === 'zh-CN';
for (const pre of document.querySelectorAll('article pre')) {
  const button = document.createElement('button');
  button.className = 'copy';
  button.type = 'button';
  button.textContent = chinese ? '复制' : 'Copy';
  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(pre.textContent.trimEnd());
      button.textContent = chinese ? '已复制' : 'Copied';
    } catch {
      getSelection().selectAllChildren(pre); // the page may not copy: what is selected, a person can
      button.textContent = 'Ctrl+C';
    }
    setTimeout(() => (button.textContent = chinese ? '复制' : 'Copy'), 2000);
  });
  const block = document.createElement('div');
  block.className = 'block';
  pre.replaceWith(block);
  block.append(pre, button);
}

const input = document.querySelector('input[type=search]');
const list = document.querySelector('#found');
let wait;
let asked = '';

input.addEventListener('input', () => {
  clearTimeout(wait);
  wait = setTimeout(look, 150);
});

async function look() {
  const query = input.value.trim();
  asked = query;
  if (!query) return close();
  let places;
  try {
    const r = await fetch(`/guide?q=${encodeURIComponent(query)}`, { headers: { Accept: 'application/json' } });
    if (!r.ok) return close();
    places = await r.json();
  } catch {
    return close(); // the server is away; Enter says so
  }
  if (asked !== query) return;
  list.replaceChildren(...places.slice(0, 8).map(entry));
  if (!places.length) {
    const none = document.createElement('li');
    const text = document.createElement('p');
    text.textContent = 'Nothing in the guide has all of these words.';
    none.append(text);
    list.append(none);
  }
  list.hidden = false;
}

function entry({ href, page, title, text }) {
  const item = document.createElement('li');
  const link = document.createElement('a');
  link.href = href;
  link.textContent = page === title ? title : `${page}: ${title}`;
  const more = document.createElement('small');
  more.textContent = text;
  link.append(more);
  item.append(link);
  return item;
}

function close() {
  list.hidden = true;
}

addEventListener('keydown', (event) => {
  const links = [...list.querySelectorAll('a')];
  if (event.key === '/' && !/^(input|textarea|select)$/i.test(document.activeElement.tagName)) {
    event.preventDefault();
    input.focus();
  } else if (event.key === 'Escape' && !list.hidden) {
    close();
    input.focus();
  } else if ((event.key === 'ArrowDown' || event.key === 'ArrowUp') && !list.hidden && links.length && document.activeElement.closest('form')) {
    event.preventDefault();
    const at = links.indexOf(document.activeElement) + (event.key === 'ArrowDown' ? 1 : -1);
    (at < 0 ? input : links[Math.min(at, links.length - 1)]).focus();
  }
});
list.addEventListener('click', close); // the place may be on this page
document.addEventListener('click', (event) => {
  if (!event.target.closest('form')) close();
});
