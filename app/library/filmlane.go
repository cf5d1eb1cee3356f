package library

import (
	"sync"

	"picora/app/config"
	"picora/media/worker"
	"picora/store"
)

// films is the work on videos: lanes take jobs out of the store's queue, so a restart
// loses nothing.
type films struct {
	pool    *worker.Pool
	options config.Video
	boot    string        // of this start of the server
	arrived chan struct{} // has room for one signal: there may be a job

	mu       sync.Mutex
	progress map[string]float64 // of what is under way, from 0 to 1, by media id
}

// UseFilms lets the library take videos, which the pool's workers work on. It needs
// UseWorkers. It is called once, before the start.
func (l *Library) UseFilms(p *worker.Pool, o config.Video) {
	l.films = &films{
		pool: p, options: o, boot: store.NewID(store.IDLen), arrived: make(chan struct{}, 1),
		progress: map[string]float64{},
	}
}

// FilmProgress is how much is made of a video that is being worked on, from 0 to 1.
func (l *Library) FilmProgress(id string) float64 {
	if l.films == nil {
		return 0
	}
	l.films.mu.Lock()
	defer l.films.mu.Unlock()
	return l.films.progress[id]
}
