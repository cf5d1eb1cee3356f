// How the mouse, fingers and keys choose tiles. One set of listeners serves all of them.
import type { Attachment } from 'svelte/attachments';
import type { Medium } from './media';

interface Handlers {
  itemOf: (target: EventTarget | null) => Medium | undefined;
  choosing: () => boolean;
  choose: (m: Medium, shift: boolean) => unknown;
  menu: (m: Medium, at: { x: number; y: number }) => void;
  focus: (m: Medium) => void;
  key: (event: KeyboardEvent) => unknown;
}

const long = 450; // milliseconds that a finger rests on what it chooses
const still = 10; // pixels that it may move

export function gestures(h: Handlers): Attachment<HTMLElement> {
  return (grid) => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let from = { x: 0, y: 0 };
    let touch = false;
    let held = false; // the click that follows was a long press

    const stop = () => clearTimeout(timer);
    const down = (event: PointerEvent) => {
      touch = event.pointerType === 'touch';
      held = false;
      stop();
      const m = touch && event.isPrimary ? h.itemOf(event.target) : undefined;
      if (!m) return;
      from = { x: event.clientX, y: event.clientY };
      timer = setTimeout(() => {
        held = true;
        navigator.vibrate?.(12);
        h.choose(m, false);
      }, long);
    };
    const move = (event: PointerEvent) => {
      if (Math.hypot(event.clientX - from.x, event.clientY - from.y) > still) stop();
    };
    const click = (event: MouseEvent) => {
      stop();
      const m = h.itemOf(event.target);
      if (held) {
        held = false;
        event.preventDefault();
        event.stopPropagation(); // whatever is under the finger by now
        return;
      }
      if (!m || (event.target as Element).closest('button')) return;
      if (event.shiftKey || event.ctrlKey || event.metaKey || (h.choosing() && event.detail > 0)) { // a click by Enter opens
        event.preventDefault();
        h.choose(m, event.shiftKey);
      }
    };
    const menu = (event: MouseEvent) => {
      const m = h.itemOf(event.target);
      if (!m) return;
      event.preventDefault();
      if (touch) return; // a finger that rests chooses
      const box = (event.target as Element).getBoundingClientRect();
      // By key there is no place: then it opens in the middle of the tile.
      h.menu(m, event.clientX || event.clientY ? { x: event.clientX, y: event.clientY } : { x: box.left + box.width / 2, y: box.top + box.height / 2 });
    };
    const focus = (event: FocusEvent) => {
      const m = h.itemOf(event.target);
      if (m) h.focus(m);
    };
    const key = (event: KeyboardEvent) => {
      touch = false;
      void h.key(event);
    };

    const listeners = Object.entries({ pointerdown: down, pointermove: move, pointerup: stop, pointercancel: stop, click, contextmenu: menu, focusin: focus, keydown: key });
    for (const [name, f] of listeners) grid.addEventListener(name, f as EventListener, name === 'click');
    return () => {
      stop();
      for (const [name, f] of listeners) grid.removeEventListener(name, f as EventListener, name === 'click');
    };
  };
}
