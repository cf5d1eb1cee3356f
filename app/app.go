// Package app puts Picora together: what is built, in what order, and what runs.
package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"picora/app/access"
	"picora/app/api"
	"picora/app/auth"
	"picora/app/cdn"
	"picora/app/config"
	"picora/app/control"
	"picora/app/dashboard"
	"picora/app/fetch"
	"picora/app/jobs"
	"picora/app/library"
	"picora/app/link"
	"picora/app/mail"
	"picora/app/pages"
	"picora/app/scrub"
	"picora/app/server"
	"picora/app/settings"
	"picora/app/storage"
	"picora/app/usage"
	"picora/media"
	"picora/media/wall"
	"picora/media/worker"
	"picora/store"
	"picora/store/blob"
	"picora/store/cache"
	"picora/store/kv/boltkv"
)

// ErrInUse says that another process has the data folder.
var ErrInUse = errors.New("another Picora is using this data folder")

// App is one Picora.
type App struct {
	cfg      config.Config
	store    *store.Store
	storage  *storage.Storage
	server   *server.Server
	library  *library.Library
	auth     *auth.Auth
	jobs     *jobs.Jobs
	control  http.Handler
	mail     *mail.Mailer
	settings *settings.Settings
	pool     *worker.Pool
	pdfs     *worker.Pool
	films    *worker.Pool
	cache    *cache.Cache
	usage    *usage.Usage
	scrub    *scrub.Scrub

	announced chan struct{} // see api.Parts

	listener, metrics, socket net.Listener
}

// Program is what the settings do not say.
type Program struct {
	Pages   dashboard.Files // what browsers see
	Version string
	Worker  string // path of the program whose command "worker" does media work; empty: this one
}

// New builds everything on the data folder.
func New(ctx context.Context, cfg config.Config, p Program) (a *App, err error) {
	start := time.Now()
	a = &App{cfg: cfg, announced: make(chan struct{}, 1)}
	defer func() {
		if err != nil {
			a.Close()
		}
	}()
	if a.store, err = OpenStore(ctx, cfg.Server.Data); err != nil {
		return a, err
	}
	if a.storage, err = storage.New(ctx, cfg, a.store); err != nil {
		return a, err
	}
	if err := a.storage.Open(ctx); err != nil {
		return a, err
	}
	signer, err := auth.NewSigner(ctx, a.store)
	if err != nil {
		return a, err
	}
	live, err := settings.Open(ctx, a.store, cfg.Accounts)
	if err != nil {
		return a, err
	}
	proxies, err := cfg.Server.Proxies()
	if err != nil {
		return a, err
	}
	links := link.New(cfg.Server.BaseURL, cfg.Server.MediaURL, proxies)
	elsewhere, err := a.storage.Elsewhere(ctx)
	if err != nil {
		return a, err
	}
	links.UseElsewhere(elsewhere)
	users, err := auth.New(a.store, cfg.Server.Data)
	if err != nil {
		return a, err
	}
	users.UseProviders(cfg.OIDC)
	a.mail = mail.New(cfg.Mail, site(cfg.Server.BaseURL))
	users.UseMail(a.mail)
	lib := library.New(a.store, a.storage.Blobs(), cfg.Upload, cfg.Blobs.MinFreeBytes)
	a.usage = usage.New(a.store, cfg.Plans)
	lib.UseLimits(a.usage)
	if err := lib.UseUploads(ctx, filepath.Join(cfg.Server.Data, "uploads"), bootID()); err != nil {
		return a, err
	}
	if cfg.Fetch.Enabled {
		allow, err := cfg.Fetch.Networks()
		if err != nil {
			return a, err
		}
		lib.UseFetch(fetch.New(fetch.Options{Allow: allow}))
	}
	if err := a.useWorkers(lib, p.Worker); err != nil {
		return a, err
	}
	if a.scrub, err = scrub.New(ctx, a.store, a.storage.Blobs(), lib, cfg.Scrub); err != nil {
		return a, err
	}
	rest := api.New(api.Parts{
		Store: a.store, Auth: users, Signer: signer, Library: lib, Settings: live, Usage: a.usage, Scrub: a.scrub, Storage: a.storage,
		Version: p.Version, Database: filepath.Join(cfg.Server.Data, database), Announced: a.announced,
	}, cfg)
	welcome, err := dashboard.New(p.Pages)
	if err != nil {
		return a, err
	}
	rule := access.New(users, signer)
	rule.UseFeeds(a.store.Collection)
	files := cdn.New(lib, rule, signer, cfg.CDN.CacheBytes)
	files.UseMeters(a.usage)
	if elsewhere != "" {
		files.UseRedirects()
	}
	variants := map[string]media.Query{}
	for name, v := range cfg.Variants {
		if variants[name], err = v.Query(); err != nil {
			return a, fmt.Errorf("variants.%s: %w", name, err)
		}
	}
	files.UseTransforms(cfg.Images.Transforms, variants)
	reading := pages.New(lib, rule, a.usage)
	reading.UseFeeds(signer)
	reading.UsePictures(signer, cfg.Images.Transforms == "signed", variants)
	a.server = server.New(server.Options{
		Links: links, Version: p.Version,
		IsFile: cdn.IsFile, FileRoutes: cdn.Routes(), Plain: files.Plain, IsUpload: api.UploadPath, Admit: rest.Admit,
		WriteError: dashboard.WriteError(api.WriteError),
		Surfaces:   []server.Surface{rest, welcome, reading, files},
	})
	a.server.CountVideos(a.countVideos)
	a.server.CountFindings(a.countFindings)
	a.library, a.auth, a.settings = lib, users, live
	a.jobs = jobs.New(lib, filepath.Join(cfg.Server.Data, "settled"), start)
	a.control = control.Handler(a.store, users, live, a.usage, a.storage, a.scrub)
	return a, nil
}

// site is how letters call this server: its host, when that is known. What requests say
// of it is not believed here.
func site(base string) string {
	if u, err := url.Parse(base); err == nil && u.Host != "" {
		return "Picora, " + u.Host
	}
	return "Picora"
}

// bootID is another one each time that Linux starts. Where it cannot be read, as in some
// containers, it is another one at each call: the machine may have been started.
func bootID() string {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if id := strings.TrimSpace(string(b)); err == nil && id != "" {
		return id
	}
	return rand.Text()
}

// useWorkers gives the library what it makes pictures with.
func (a *App) useWorkers(lib *library.Library, program string) (err error) {
	if a.cache, err = cache.Open(filepath.Join(a.cfg.Server.Data, "cache"), a.cfg.Images.CacheBytes); err != nil {
		return err
	}
	yields := func(l wall.Limits) wall.Limits { // to what somebody waits for
		l.Output, l.Background, l.Equal = 64<<30, a.cfg.Video.Priority == "idle", a.cfg.Video.Priority == "normal"
		return l
	}
	a.pool = worker.New(worker.Options{
		Program: program, Workers: a.cfg.Images.Workers, Queue: a.cfg.Images.Queue, Long: yields(wall.Limits{Memory: 2 << 30, Files: 64}),
		Observe: func(kind string, o worker.Outcome, took time.Duration) { a.server.CountJob(kind, string(o), took) },
	})
	lib.UseWorkers(a.pool, a.cache, a.cfg.Images)
	// PDFs have workers of their own: these get PDFium ready, which takes seconds and memory.
	a.pdfs = worker.New(worker.Options{
		Program: program, Workers: 1, Queue: a.cfg.Images.Queue, Prepare: media.PDFWork, Resident: 384 << 20,
		Observe: func(kind string, o worker.Outcome, took time.Duration) { a.server.CountJob(kind, string(o), took) },
	})
	lib.UsePDF(a.pdfs)
	a.films = worker.New(worker.Options{
		Program: program, Workers: 1, Queue: 1, Long: yields(wall.Limits{Memory: 3 << 30, Files: 128}),
		Observe: func(kind string, o worker.Outcome, took time.Duration) { a.server.CountJob(kind, string(o), took) },
	})
	lib.UseFilms(a.films, a.cfg.Video)
	return nil
}

// resumeUploads takes up what a stop of the server left of uploads in pieces.
func (a *App) resumeUploads(ctx context.Context) {
	if err := a.library.ResumeUploads(ctx); err != nil && ctx.Err() == nil {
		slog.Error("the uploads that were under way were not all taken up", "err", err)
	}
}

// countVideos is how many jobs on videos are in each state.
func (a *App) countVideos() (map[string]int, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	found, err := a.store.CountJobs(ctx)
	n := map[string]int{}
	for _, s := range []store.JobState{store.JobWaiting, store.JobRunning, store.JobDone, store.JobFailed} {
		n[s.String()] = found[s]
	}
	return n, err
}

// countFindings is how many files have each problem, and when the last check of all ended.
func (a *App) countFindings() (map[string]int, time.Time, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	state, _, found, err := a.scrub.Status(ctx)
	var ended time.Time
	if r := state.Last; r != nil && !r.Stopped && r.Error == "" {
		ended = r.Ended
	}
	return map[string]int{"missing": found.Missing, "corrupt": found.Corrupt, "orphan": found.Orphans}, ended, err
}

// Scrub checks the files until ctx ends, for a command while no server runs; the client is
// how it is told what to do. A check that a server did not end is ended.
func (a *App) Scrub(ctx context.Context) (c *control.Client, done <-chan struct{}) {
	a.scrub.Stop(ctx) // an error says that there is none
	ended := make(chan struct{})
	go func() { a.scrub.Work(ctx); close(ended) }()
	return control.Local(a.control), ended
}

// database is the file of the records in the data folder.
const database = "picora.db"

// HasStore reports whether there are records in the data folder.
func HasStore(data string) bool {
	_, err := os.Stat(filepath.Join(data, database))
	return !errors.Is(err, fs.ErrNotExist)
}

// OpenStore opens the records in the data folder, which it makes when it is not
// there. ErrInUse when another process has them open.
func OpenStore(ctx context.Context, data string) (*store.Store, error) {
	if err := os.MkdirAll(data, 0o700); err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	db, err := boltkv.Open(filepath.Join(data, database), boltkv.Options{})
	if errors.Is(err, boltkv.ErrLocked) {
		return nil, fmt.Errorf("%s: %w", data, ErrInUse)
	}
	if err != nil {
		return nil, err
	}
	s, err := store.Open(ctx, db, filepath.Join(data, "backups"))
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return s, nil
}

// Listen takes the ports and the socket.
func (a *App) Listen() (err error) {
	if a.listener, err = net.Listen("tcp", a.cfg.Server.Listen); err != nil {
		return fmt.Errorf("server.listen: %w", err)
	}
	if a.socket, err = control.Listen(a.cfg.Server.Data); err != nil {
		return err
	}
	if a.cfg.Metrics.Listen != "" {
		if a.metrics, err = net.Listen("tcp", a.cfg.Metrics.Listen); err != nil {
			return fmt.Errorf("metrics.listen: %w", err)
		}
	}
	return nil
}

// Addr is where the server listens, after Listen.
func (a *App) Addr() net.Addr { return a.listener.Addr() }

// MetricsAddr is where the metrics are served, after Listen; nil when they are not.
func (a *App) MetricsAddr() net.Addr {
	if a.metrics == nil {
		return nil
	}
	return a.metrics.Addr()
}

// Server is the HTTP server, for tests that read its routes.
func (a *App) Server() *server.Server { return a.server }

// Auth and Store are for tests that make sessions and look at records.
func (a *App) Auth() *auth.Auth { return a.auth }

// Usage is what Auth's comment says.
func (a *App) Usage() *usage.Usage { return a.usage }

// Jobs is what Auth's comment says.
func (a *App) Jobs() *jobs.Jobs { return a.jobs }

// Library is what Auth's comment says.
func (a *App) Library() *library.Library { return a.library }

// Blobs is what Auth's comment says.
func (a *App) Blobs() blob.Store { return a.storage.Blobs() }

// Store is what Auth's comment says.
func (a *App) Store() *store.Store { return a.store }

// Settings is what Auth's comment says, too.
func (a *App) Settings() *settings.Settings { return a.settings }

// Run works until ctx ends, then lets the requests under way finish. Until they
// have, the database is ours alone, so the command line still needs the socket.
func (a *App) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	untilStopped, stopped := context.WithCancel(context.WithoutCancel(ctx))
	g.Go(func() error { return a.server.Serve(a.listener) })
	g.Go(func() error { return control.Serve(untilStopped, a.socket, a.control) })
	g.Go(func() error { return a.jobs.Run(ctx) })
	g.Go(func() error { a.storage.Run(ctx); return nil })
	g.Go(func() error { a.library.Background(ctx); return nil })
	g.Go(func() error { a.library.Index(ctx); return nil })
	g.Go(func() error { a.library.Hear(ctx); return nil })
	g.Go(func() error { a.library.Films(ctx); return nil })
	g.Go(func() error { a.library.Fetch(ctx); return nil })
	g.Go(func() error { a.resumeUploads(ctx); jobs.Expire(ctx, a.store, a.library); return nil })
	g.Go(func() error { a.mail.Run(untilStopped); return nil }) // requests under way may still write
	g.Go(func() error { jobs.Announce(ctx, a.store, a.announced); return nil })
	g.Go(func() error { jobs.KeepAudit(ctx, a.store); return nil })
	g.Go(func() error { a.auth.Background(ctx); return nil })
	g.Go(func() error { a.usage.Run(ctx); return nil })
	g.Go(func() error { jobs.Nightly(ctx, a.store, a.usage); return nil })
	g.Go(func() error { a.scrub.Work(ctx); return nil })
	if a.metrics != nil {
		g.Go(func() error { return a.server.ServeMetrics(untilStopped, a.metrics) })
	}
	g.Go(func() error {
		defer stopped()
		<-ctx.Done()
		slog.Info("stopping; uploads in flight may finish", "within", a.cfg.Server.ShutdownTimeout.String())
		return a.server.Stop(time.Duration(a.cfg.Server.ShutdownTimeout))
	})
	err := g.Wait()
	a.auth.Wait()
	a.auth.Flush(context.WithoutCancel(ctx))
	a.usage.Flush(ctx) // what the last answers sent
	a.jobs.Settle()
	if err == nil { // no request was cut
		a.library.TrustUploads(context.WithoutCancel(ctx))
	}
	return err
}

// Close closes what New and Listen opened.
func (a *App) Close() (err error) {
	for _, ln := range []net.Listener{a.listener, a.metrics, a.socket} {
		if ln != nil {
			ln.Close() // closed already when the server ran
		}
	}
	if a.films != nil {
		a.films.Close()
	}
	if a.pdfs != nil {
		a.pdfs.Close()
	}
	if a.pool != nil {
		a.pool.Close()
	}
	if a.cache != nil {
		err = errors.Join(err, a.cache.Close())
	}
	if a.storage != nil {
		err = errors.Join(err, a.storage.Close())
	}
	if a.store != nil {
		err = errors.Join(err, a.store.Close())
	}
	return err
}
