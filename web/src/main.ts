import { mount } from 'svelte';
import App from './App.svelte';
import './app.css';
import { startLanguage } from './i18n.svelte';
import { pause } from './pause';
import { startRouter } from './router.svelte';
import { loadFirst, routes } from './routes';
import { resume } from './session.svelte';
import { startTheme } from './theme.svelte';

startTheme();
startRouter(routes);
await pause();
loadFirst();
await Promise.all([startLanguage(), resume()]);
await pause();
const target = document.getElementById('app')!;
target.replaceChildren(); // what was shown until now
mount(App, { target });
